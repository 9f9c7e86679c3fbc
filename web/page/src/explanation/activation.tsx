import { useText } from "../text";
import { Figure } from "../text/figure";
import { decimal } from "../text/numbers";
import type { ExplainedUnit } from "./explained-unit";

const FUNCTIONS: Record<string, (x: number) => number> = {
  tanh: Math.tanh,
  relu: (x) => Math.max(0, x),
  relu6: (x) => Math.min(6, Math.max(0, x)),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};

/** Size of the curve, in units of its view box. */
const WIDTH = 220;
const HEIGHT = 90;

/** The curve of an activation function, with the point of this value. */
export function Activation({ explained: { explanation } }: { explained: ExplainedUnit }) {
  const text = useText();
  const { sum, value, activation } = explanation;
  const name = activation ?? "";
  const curve = FUNCTIONS[name];
  const xRange = Math.max(3, Math.abs(sum) * 1.15);
  const yRange = Math.max(1.15, Math.abs(value) * 1.15);
  const x = (at: number) => WIDTH / 2 + (at / xRange) * (WIDTH / 2);
  const y = (at: number) => HEIGHT / 2 - (at / yRange) * (HEIGHT / 2);
  const points = Array.from({ length: 81 }, (_, step) => (step / 40 - 1) * xRange);
  return (
    <div class="step">
      <p class="equation">
        {name}(<Figure value={sum} name="argument" />) = <Figure value={value} name="activated" />
      </p>
      {curve && (
        <svg
          class="curve"
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          role="img"
          aria-label={text.explain.curve(name, decimal(sum), decimal(value))}
        >
          <path class="axis" d={`M0 ${y(0)}H${WIDTH}M${x(0)} 0V${HEIGHT}`} />
          <path class="line" d={`M${points.map((at) => `${x(at)} ${y(curve(at))}`).join("L")}`} />
          <path class="drop" d={`M${x(sum)} ${y(0)}V${y(value)}H${x(0)}`} />
          <circle cx={x(sum)} cy={y(value)} r="4" />
        </svg>
      )}
    </div>
  );
}
