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
  /** Loads the feature maps of a stage; undefined after an error, which `useClassifier` reports. */
  load: (index: number, result: Result) => Promise<Float32Array | undefined>;
}

/** The feature maps of one stage, all channels. */
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
  // The largest value would leave most values almost without colour.
  const max = useMemo(() => highPercentile(values ?? new Float32Array()), [values]);
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
            {stages.map(({ name, shape }, index) => (
              <option key={name} value={index}>
                {name} ({shape.join(" × ")})
              </option>
            ))}
          </select>
        </label>
      </div>
      <p class="hint">
        {text.photo.channels(channels, height, width)} ±{decimal(max, 2)}
      </p>
      <Maps
        shape={stage.shape}
        values={fits ? values : undefined}
        colours={{ scale: SCALES[theme].signed, low: -max, high: max }}
        label={text.photo.maps(stage.name, channels)}
        minSize={Math.max(26, Math.min(72, 6000 / channels))}
        maxSize={112}
      />
    </section>
  );
}

/** Returns the 99.5th percentile of the absolute values, from an even sample of the values. */
function highPercentile(values: Float32Array): number {
  const step = Math.max(1, Math.floor(values.length / 20000));
  const sizes = values
    .filter((_, index) => index % step === 0)
    .map(Math.abs)
    .sort();
  return sizes[Math.floor(sizes.length * 0.995)] || 1;
}
