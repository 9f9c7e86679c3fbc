import { useEffect, useState } from "preact/hooks";
import { explorer } from "../engine/client";
import type { ConvolutionCosts } from "../engine/contract";
import type { SeparableSettings } from "../engine/protocol";
import { type Failure, failure } from "../shell/failure";
import { Problem } from "../shell/problem";
import { Slider } from "../shell/slider";
import { useText } from "../text";
import { decimal, integer } from "../text/numbers";

const RANGES: Record<keyof SeparableSettings, { min: number; max: number }> = {
  channelsIn: { min: 1, max: 512 },
  channelsOut: { min: 1, max: 1024 },
  kernel: { min: 1, max: 11 },
  size: { min: 1, max: 224 },
};
const NAMES = Object.keys(RANGES) as (keyof SeparableSettings)[];

/** Parameters and multiply-adds of a standard and of a depthwise separable convolution. */
export function Separable() {
  const text = useText();
  const [settings, setSettings] = useState<SeparableSettings>({
    channelsIn: 64,
    channelsOut: 128,
    kernel: 3,
    size: 56,
  });
  const [costs, setCosts] = useState<ConvolutionCosts>();
  const [problem, setProblem] = useState<Failure>();

  useEffect(() => {
    let current = true;
    explorer.call("convolutionCosts", settings).then(
      (costs) => {
        if (!current) return;
        setCosts(costs);
        setProblem(undefined);
      },
      (error) => current && setProblem(failure(error)),
    );
    return () => {
      current = false;
    };
  }, [settings]);

  return (
    <section class="saving" aria-labelledby="separable">
      <h2 id="separable">{text.separable.title}</h2>
      <p class="prose">{text.separable.lead}</p>
      <div class="convolution">
        <div class="settings">
          {NAMES.map((name) => (
            <Slider
              key={name}
              id={`separable-${name}`}
              label={text.separable[name]}
              value={settings[name]}
              {...RANGES[name]}
              onValue={(value) => setSettings({ ...settings, [name]: value })}
            />
          ))}
          <Problem problem={problem} />
        </div>
        {costs && <Comparison costs={costs} settings={settings} />}
      </div>
    </section>
  );
}

function Comparison({ costs, settings }: { costs: ConvolutionCosts; settings: SeparableSettings }) {
  const text = useText();
  const kinds = ["standard", "separable"] as const;
  const measures = ["parameters", "multiplyAdds"] as const;
  return (
    <div class="comparison">
      <table>
        <caption class="unseen">{text.separable.title}</caption>
        <thead>
          <tr>
            <td />
            {measures.map((measure) => (
              <th key={measure} scope="col">
                {text.separable[measure]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {kinds.map((kind) => (
            <tr key={kind}>
              <th scope="row">{text.separable[kind]}</th>
              {measures.map((measure) => {
                const value = costs[kind][measure];
                const max = Math.max(...kinds.map((kind) => costs[kind][measure]));
                return (
                  <td key={measure}>
                    <data value={String(value)}>{integer(value)}</data>
                    <span class={`bar ${kind}`}>
                      <span style={{ transform: `scaleX(${value / max})` }} />
                    </span>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="ratio">
        <span>{text.separable.ratio}</span>{" "}
        <span class="equation">
          1/{settings.channelsOut} + 1/{settings.kernel}² ={" "}
          <data value={String(costs.ratio)}>{decimal(costs.ratio, 4)}</data>
        </span>
      </p>
      <p class="hint">
        {costs.ratio < 1 ? text.separable.saves(decimal(1 / costs.ratio, 1)) : text.separable.loses}
      </p>
    </div>
  );
}
