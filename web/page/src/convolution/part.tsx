import { useEffect, useState } from "preact/hooks";
import { explorer } from "../engine/client";
import type { ConvolutionSettings } from "../engine/protocol";
import { type Failure, failure } from "../shell/failure";
import { Problem } from "../shell/problem";
import { Slider } from "../shell/slider";
import { useText } from "../text";
import { Formula } from "./formula";
import { Separable } from "./separable";
import { Sliding } from "./sliding";

const RANGES: Record<keyof ConvolutionSettings, { least: number; most: number }> = {
  input: { least: 1, most: 16 },
  kernel: { least: 1, most: 7 },
  stride: { least: 1, most: 4 },
  padding: { least: 0, most: 4 },
  dilation: { least: 1, most: 4 },
};
const NAMES = Object.keys(RANGES) as (keyof ConvolutionSettings)[];

interface Outcome {
  /** What was asked; the answer to other settings is not shown. */
  settings: ConvolutionSettings;
  size?: number;
  problem?: Failure;
}

/** Convolution by hand: the output's size, the sliding window, and what separating saves. */
export function Convolution() {
  const text = useText();
  const [settings, setSettings] = useState<ConvolutionSettings>({
    input: 7,
    kernel: 3,
    stride: 2,
    padding: 1,
    dilation: 1,
  });
  const [outcome, setOutcome] = useState<Outcome>();

  useEffect(() => {
    let current = true;
    explorer.ask("outputSize", settings).then(
      (size) => current && setOutcome({ settings, size }),
      (error) => current && setOutcome({ settings, problem: failure(error) }),
    );
    return () => {
      current = false;
    };
  }, [settings]);

  const size = outcome?.settings === settings ? outcome.size : undefined;
  return (
    <>
      <header class="lead">
        <h1>{text.convolution.title}</h1>
        <p>{text.convolution.lead}</p>
      </header>
      <div class="convolution">
        <div class="settings">
          {NAMES.map((name) => (
            <Slider
              key={name}
              id={name}
              label={text.convolution[name]}
              value={settings[name]}
              {...RANGES[name]}
              onValue={(value) => setSettings({ ...settings, [name]: value })}
            />
          ))}
          <h2>{text.convolution.outputSize}</h2>
          <Formula
            settings={settings}
            size={outcome?.problem ? undefined : (size ?? outcome?.size)}
          />
          {outcome?.problem && <h3>{text.convolution.invalid}</h3>}
          <Problem problem={outcome?.problem} />
        </div>
        {size !== undefined && (
          <Sliding key={JSON.stringify(settings)} settings={settings} size={size} />
        )}
      </div>
      <Separable />
    </>
  );
}
