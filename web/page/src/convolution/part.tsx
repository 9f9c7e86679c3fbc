import { useMemo, useState } from "preact/hooks";
import type { Operation, WindowSettings } from "../engine/protocol";
import { Problem } from "../shell/problem";
import { Slider } from "../shell/slider";
import { useText } from "../text";
import { example } from "./example";
import { Formula } from "./formula";
import { Separable } from "./separable";
import { Sliding } from "./sliding";
import { useSlide } from "./use-slide";

const RANGES: Record<keyof WindowSettings, { least: number; most: number }> = {
  input: { least: 1, most: 16 },
  kernel: { least: 1, most: 7 },
  stride: { least: 1, most: 4 },
  padding: { least: 0, most: 4 },
  dilation: { least: 1, most: 4 },
};
const NAMES = Object.keys(RANGES) as (keyof WindowSettings)[];
const OPERATIONS: Operation[] = ["convolution", "maxPool", "averagePool"];

/** Convolution by hand: the output's size, the sliding window, and what separating saves. */
export function Convolution() {
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
    () => (pool ? { ...chosen, dilation: RANGES.dilation.least } : chosen),
    [chosen, pool],
  );
  const hand = useMemo(() => example(operation, settings), [operation, settings]);
  const { slid, problem } = useSlide(hand);
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
            {OPERATIONS.map((one) => (
              <label key={one}>
                <input
                  type="radio"
                  name="operation"
                  checked={one === operation}
                  onChange={() => setOperation(one)}
                />{" "}
                {text.convolution.operations[one]}
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
          <Formula settings={settings} size={slid?.layer.shape[1]} />
          {problem && !problem.broke && <h3>{text.convolution.invalid}</h3>}
          <Problem problem={problem} />
        </div>
        {slid?.hand === hand && <Sliding key={JSON.stringify([operation, settings])} slid={slid} />}
      </div>
      <Separable />
    </>
  );
}
