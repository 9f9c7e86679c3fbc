import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { Unit } from "../colour/layout";
import { type Frame, Maps, type SelectionKind } from "../colour/maps";
import { maxAbs, SCALES, type Theme } from "../colour/scale";
import type { LayerInfo } from "../engine/contract";
import { Problem } from "../shell/problem";
import { useTheme } from "../shell/theme";
import { useText } from "../text";
import { decimal, milliseconds, percent } from "../text/numbers";
import { Answer, mostProbable } from "./answer";
import { SIZE } from "./centre";
import { DrawingPad } from "./drawing-pad";
import { Explanation } from "./explanation";
import { frames } from "./frames";
import { title } from "./names";
import { SampleDigits } from "./sample-digits";
import { samples } from "./samples";
import { type Selection, useExplorer } from "./use-explorer";

/** Sample digit that the page shows first. */
const FIRST = 3;

/** The view in which LeNet-5 classifies a drawn digit and every value can be inspected. */
export function DigitView() {
  const text = useText();
  const theme = useTheme();
  const [inks, setInks] = useState<Uint8Array[]>([]);
  const [sample, setSample] = useState<{ ink: Uint8Array }>();
  const [pinned, setPinned] = useState<Selection>();
  const [hovered, setHovered] = useState<Selection>();
  // What the status for screen readers announces.
  const [announced, setAnnounced] = useState<"answer" | "unit" | undefined>();
  const selection = hovered ?? pinned;
  const { layers, activity, explained, problem, run } = useExplorer(selection);

  useEffect(() => {
    samples().then((inks) => {
      setInks(inks);
      const ink = inks[FIRST];
      if (ink) setSample({ ink });
    });
  }, []);

  const runImage = useCallback(
    (image: Float32Array) => {
      setAnnounced(undefined);
      run(image);
    },
    [run],
  );

  const choose = useCallback((layer: LayerInfo, unit: Unit | undefined, how: SelectionKind) => {
    const selection = unit && { layer: layer.index, ...unit };
    if (how === "hover") setHovered(selection);
    else setPinned(selection);
    if (how === "key") setHovered(undefined);
    setAnnounced(how === "key" ? "unit" : undefined);
  }, []);

  const framesOf = useMemo(
    () => (layers ? frames(layers, explained) : new Map()),
    [layers, explained],
  );
  const [input, ...others] = layers ?? [];
  const last = layers?.at(-1);
  const top = activity && mostProbable(activity.probabilities);
  const selected = explained.at(-1);

  const maps = (layer: LayerInfo) => (
    <LayerMaps
      key={layer.index}
      layer={layer}
      values={activity?.values[layer.index]}
      theme={theme}
      frames={framesOf.get(layer.index)}
      unit={pinned?.layer === layer.index ? pinned : undefined}
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
          <DrawingPad sample={sample} onImage={runImage} onStroke={() => setAnnounced("answer")} />
          <SampleDigits inks={inks} onSample={(ink) => setSample({ ink })} />
          <Answer
            probabilities={activity?.probabilities}
            selected={pinned && pinned.layer === last?.index ? pinned.channel : undefined}
            onDigit={(channel) => last && choose(last, { channel, row: 0, column: 0 }, "pin")}
          />
          <p class="hint time">
            {activity && text.digit.time(milliseconds(activity.milliseconds))}
          </p>
        </div>
        <div class="layers">
          {input && (
            <div class="network-input">
              {maps(input)}
              <p class="hint">{text.digit.input}</p>
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
            {pinned && (
              <button type="button" class="button quiet" onClick={() => setPinned(undefined)}>
                {text.explain.unpin}
              </button>
            )}
          </div>
          <Explanation explained={explained} theme={theme} />
        </aside>
      </div>
      <span class="unseen" role="status">
        {announced === "answer" && activity && top !== undefined
          ? text.digit.probability(top, percent(activity.probabilities[top] ?? 0, 0))
          : announced === "unit" && selected
            ? `${title(text, selected.layer, selected.unit)}: ${decimal(selected.explanation.value)}`
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
  onUnit: (layer: LayerInfo, unit: Unit | undefined, how: SelectionKind) => void;
}

/** The name, kind, shape and feature maps of a layer. */
function LayerMaps({ layer, values, theme, frames, unit, onUnit }: LayerProps) {
  const text = useText();
  const [channels, height, width] = layer.shape;
  const input = layer.kind === "input";
  const max = values ? (layer.activation === "tanh" ? 1 : maxAbs(values)) : 1;
  const colours =
    input && values
      ? { scale: SCALES[theme].ink, low: Math.min(...values), high: Math.max(...values, 0.1) }
      : { scale: SCALES[theme].signed, low: -max, high: max };
  const size = height * width === 1 ? `${channels}` : `${channels} × ${height} × ${width}`;
  return (
    <figure class="layer" data-kind={layer.kind}>
      <figcaption>
        <strong>{layer.name}</strong>{" "}
        {layer.name !== text.kinds[layer.kind] && text.kinds[layer.kind]}
        <span class="shape">{size}</span>
        {!input && <span class="scale">±{decimal(max, 2)}</span>}
      </figcaption>
      <Maps
        shape={layer.shape}
        values={values}
        colours={colours}
        label={text.digit.maps(layer.name, text.kinds[layer.kind], channels)}
        minSize={input ? SIZE * 4 : 48}
        maxSize={input ? SIZE * 6 : 112}
        frames={frames ?? []}
        unit={unit}
        onUnit={(unit, how) => onUnit(layer, unit, how)}
      />
    </figure>
  );
}
