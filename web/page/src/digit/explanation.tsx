import type { Theme } from "../colour/scale";
import { type Explained, Step } from "../explanation/step";
import { useText } from "../text";
import { Figure } from "../text/figure";
import { title } from "./names";

/** The arithmetic that made one value, from what it read to what it is. */
export function Explanation({ explained, theme }: { explained: Explained[]; theme: Theme }) {
  const text = useText();
  const last = explained.at(-1);
  if (!last) return <p class="hint">{text.explain.none}</p>;
  return (
    <>
      <h3>{title(text, last.layer, last.unit)}</h3>
      <p class="value">
        <Figure value={last.explanation.value} name="value" />
      </p>
      {explained.map((one) => (
        <Step key={one.layer.index} one={one} theme={theme} />
      ))}
    </>
  );
}
