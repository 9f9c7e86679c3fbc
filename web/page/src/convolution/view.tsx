import { useMemo, useState } from "preact/hooks";
import type { Operation, WindowSettings } from "../engine/protocol";
import { Problem } from "../shell/problem";
import { Slider } from "../shell/slider";
import { useText } from "../text";
import { example } from "./example";
import { Formula } from "./formula";
import { Separable } from "./separable";
import { Sliding } from "./sliding";
import { useLayerOutput } from "./use-sliding-window";

const RANGES: Record<keyof WindowSettings, { min: number; max: number }> = {
  input: { min: 1, max: 16 },
  kernel: { min: 1, max: 7 },
  stride: { min: 1, max: 4 },
  padding: { min: 0, max: 4 },
  dilation: { min: 1, max: 4 },
};
const NAMES = Object.keys(RANGES) as (keyof WindowSettings)[];
const OPERATIONS: Operation[] = ["convolution", "maxPool", "averagePool"];

/** The view of the output size, the sliding window, and the cost of separable convolutions. */
export function ConvolutionView() {
  const text = useText();
  const [operation, setOperation] = useState<Operation>("convolution");
  const [chosen, setChosen] = useState<WindowSettings>({
    input: 7,
    kernel: 3,
    stride: 2,
    padding: 1,
    dilation: 1,
  });
  const pool = operation !== "convolution";
  const settings = useMemo(
    () => (pool ? { ...chosen, dilation: RANGES.dilation.min } : chosen),
    [chosen, pool],
  );
  const single = useMemo(() => example(operation, settings), [operation, settings]);
  const { output, problem } = useLayerOutput(single);
  return (
    <>
      <header class="lead">
        <h1>{text.convolution.title}</h1>
        <p>{text.convolution.lead}</p>
      </header>
      <div class="convolution">
        <div class="settings">
          <fieldset class="choice">
            <legend>{text.convolution.operation}</legend>
            {OPERATIONS.map((name) => (
              <label key={name}>
                <input
                  type="radio"
                  name="operation"
                  checked={name === operation}
                  onChange={() => setOperation(name)}
                />{" "}
                {text.convolution.operations[name]}
              </label>
            ))}
          </fieldset>
          {NAMES.map((name) => (
            <Slider
              key={name}
              id={name}
              label={text.convolution[name]}
              value={settings[name]}
              {...RANGES[name]}
              disabled={pool && name === "dilation"}
              onValue={(value) => setChosen({ ...chosen, [name]: value })}
            />
          ))}
          <h2>{text.convolution.outputSize}</h2>
          <Formula settings={settings} size={output?.layer.shape[1]} />
          {problem && !problem.crashed && <h3>{text.convolution.invalid}</h3>}
          <Problem problem={problem} />
        </div>
        {output?.single === single && (
          <Sliding key={JSON.stringify([operation, settings])} output={output} />
        )}
      </div>
      <Separable />
    </>
  );
}
