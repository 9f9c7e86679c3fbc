import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { Unit } from "../colour/layout";
import { type Frame, Maps } from "../colour/maps";
import { limit, SCALES, type Theme } from "../colour/scale";
import type { LayerInfo } from "../engine/contract";
import { Problem } from "../shell/problem";
import { useTheme } from "../shell/theme";
import { useText } from "../text";
import { decimal, milliseconds, percent } from "../text/numbers";
import { Answer, best } from "./answer";
import { SIZE } from "./centre";
import { Explanation } from "./explanation";
import { frames } from "./frames";
import { title } from "./names";
import { Pad } from "./pad";
import { SampleDigits } from "./sample-digits";
import { samples } from "./samples";
import { type Selection, useExplorer } from "./use-explorer";

/** What is on the paper when the page opens. */
const FIRST = 3;

/** Draw a digit and see every value of LeNet-5. */
export function Digit() {
  const text = useText();
  const theme = useTheme();
  const [inks, setInks] = useState<Uint8Array[]>([]);
  const [sample, setSample] = useState<{ ink: Uint8Array }>();
  const [held, setHeld] = useState<Selection>();
  const [pointed, setPointed] = useState<Selection>();
  const [spoken, setSpoken] = useState<"answer" | "unit" | undefined>();
  const selection = pointed ?? held;
  const { layers, activity, explained, problem, run } = useExplorer(selection);

  useEffect(() => {
    samples().then((inks) => {
      setInks(inks);
      const ink = inks[FIRST];
      if (ink) setSample({ ink });
    });
  }, []);

  const image = useCallback(
    (image: Float32Array) => {
      setSpoken(undefined);
      run(image);
    },
    [run],
  );

  const choose = useCallback(
    (layer: LayerInfo, unit: Unit | undefined, how: "point" | "hold" | "key") => {
      const selection = unit && { layer: layer.index, ...unit };
      if (how === "point") setPointed(selection);
      else setHeld(selection);
      if (how === "key") setPointed(undefined);
      setSpoken(how === "key" ? "unit" : undefined);
    },
    [],
  );

  const marks = useMemo(
    () => (layers ? frames(layers, explained) : new Map()),
    [layers, explained],
  );
  const shown = layers ?? [];
  const [input, ...others] = shown;
  const last = shown.at(-1);
  const top = activity && best(activity.probabilities);
  const told = explained.at(-1);

  const maps = (layer: LayerInfo) => (
    <LayerMaps
      key={layer.index}
      layer={layer}
      values={activity?.values[layer.index]}
      theme={theme}
      frames={marks.get(layer.index)}
      unit={held?.layer === layer.index ? held : undefined}
      onUnit={choose}
    />
  );

  return (
    <>
      <header class="lead">
        <h1>{text.digit.title}</h1>
        <p>{text.digit.lead}</p>
      </header>
      <Problem problem={problem} />
      <div class="digit">
        <div class="draw">
          <Pad sample={sample} onImage={image} onStroke={() => setSpoken("answer")} />
          <SampleDigits inks={inks} onSample={(ink) => setSample({ ink })} />
          <Answer
            probabilities={activity?.probabilities}
            selected={held && held.layer === last?.index ? held.channel : undefined}
            onDigit={(channel) => last && choose(last, { channel, row: 0, column: 0 }, "hold")}
          />
          <p class="hint time">
            {activity && text.digit.time(milliseconds(activity.milliseconds))}
          </p>
        </div>
        <div class="layers">
          {input && (
            <div class="sees">
              {maps(input)}
              <p class="hint">{text.digit.sees}</p>
            </div>
          )}
          {others.map(maps)}
        </div>
        <aside
          class={selection ? "explanation open" : "explanation"}
          aria-label={text.explain.title}
        >
          <div class="bar">
            <h2>{text.explain.title}</h2>
            {held && (
              <button type="button" class="button quiet" onClick={() => setHeld(undefined)}>
                {text.explain.close}
              </button>
            )}
          </div>
          <Explanation explained={explained} theme={theme} />
        </aside>
      </div>
      <span class="unseen" role="status">
        {spoken === "answer" && activity && top !== undefined
          ? text.digit.probability(top, percent(activity.probabilities[top] ?? 0, 0))
          : spoken === "unit" && told
            ? `${title(text, told.layer, told.unit)}: ${decimal(told.explanation.value)}`
            : ""}
      </span>
    </>
  );
}

interface LayerProps {
  layer: LayerInfo;
  values: Float32Array | undefined;
  theme: Theme;
  frames: Frame[] | undefined;
  unit: Unit | undefined;
  onUnit: (layer: LayerInfo, unit: Unit | undefined, how: "point" | "hold" | "key") => void;
}

function LayerMaps({ layer, values, theme, frames, unit, onUnit }: LayerProps) {
  const text = useText();
  const [channels, height, width] = layer.shape;
  const input = layer.kind === "input";
  const most = values ? (layer.activation === "tanh" ? 1 : limit(values)) : 1;
  const colours =
    input && values
      ? { scale: SCALES[theme].ink, low: Math.min(...values), high: Math.max(...values, 0.1) }
      : { scale: SCALES[theme].signed, low: -most, high: most };
  const size = height * width === 1 ? `${channels}` : `${channels} × ${height} × ${width}`;
  return (
    <figure class="layer" data-kind={layer.kind}>
      <figcaption>
        <strong>{layer.name}</strong>{" "}
        {layer.name !== text.kinds[layer.kind] && text.kinds[layer.kind]}
        <span class="shape">{size}</span>
        {!input && <span class="scale">±{decimal(most, 2)}</span>}
      </figcaption>
      <Maps
        shape={layer.shape}
        values={values}
        colours={colours}
        label={text.digit.maps(layer.name, text.kinds[layer.kind], channels)}
        least={input ? SIZE * 4 : 48}
        most={input ? SIZE * 6 : 112}
        frames={frames ?? []}
        unit={unit}
        onUnit={(unit, how) => onUnit(layer, unit, how)}
      />
    </figure>
  );
}
