import { useEffect, useMemo, useState } from "preact/hooks";
import { Maps } from "../colour/maps";
import { SCALES } from "../colour/scale";
import type { StageInfo } from "../engine/contract";
import { useTheme } from "../shell/theme";
import { useText } from "../text";
import { decimal } from "../text/numbers";
import type { Result } from "./use-classifier";

interface Props {
  stages: StageInfo[];
  result: Result;
  /** Asks for the maps of a stage; nothing comes where that failed, which is told elsewhere. */
  load: (index: number, result: Result) => Promise<Float32Array | undefined>;
}

/** The activation maps of one stage, every channel. */
export function StageMaps({ stages, result, load }: Props) {
  const text = useText();
  const theme = useTheme();
  const [index, setIndex] = useState(0);
  const [values, setValues] = useState<Float32Array>();
  const stage = stages[index];
  useEffect(() => {
    let current = true;
    load(index, result).then((maps) => {
      if (current && maps) setValues(maps);
    });
    return () => {
      current = false;
    };
  }, [index, result, load]);
  // The few largest values would leave the rest without colour.
  const most = useMemo(() => spread(values ?? new Float32Array()), [values]);
  if (!stage) return null;
  const [channels, height, width] = stage.shape;
  const fits = values?.length === channels * height * width;
  return (
    <section class="stages" aria-labelledby="stages">
      <div class="bar">
        <h2 id="stages">{text.photo.stages}</h2>
        <label>
          {text.photo.stage}{" "}
          <select value={index} onChange={(event) => setIndex(Number(event.currentTarget.value))}>
            {stages.map(({ name, shape }, place) => (
              <option key={name} value={place}>
                {name} ({shape.join(" × ")})
              </option>
            ))}
          </select>
        </label>
      </div>
      <p class="hint">
        {text.photo.channels(channels, height, width)} ±{decimal(most, 2)}
      </p>
      <Maps
        shape={stage.shape}
        values={fits ? values : undefined}
        colours={{ scale: SCALES[theme].signed, low: -most, high: most }}
        label={text.photo.maps(stage.name, channels)}
        least={Math.max(26, Math.min(72, 6000 / channels))}
        most={112}
      />
    </section>
  );
}

/** The absolute value that one in two hundred exceeds, of an even sample of them. */
function spread(values: Float32Array): number {
  const step = Math.max(1, Math.floor(values.length / 20000));
  const sizes = values
    .filter((_, index) => index % step === 0)
    .map(Math.abs)
    .sort();
  return sizes[Math.floor(sizes.length * 0.995)] || 1;
}
