import type { Theme } from "../colour/scale";
import type { ExplainedUnit } from "../explanation/explained-unit";
import { Step } from "../explanation/step";
import { useText } from "../text";
import { Figure } from "../text/figure";
import { title } from "./names";

/** The arithmetic of one value; for an activation, after the arithmetic of its argument. */
export function Explanation(props: { explained: ExplainedUnit[]; theme: Theme }) {
  const { explained, theme } = props;
  const text = useText();
  const last = explained.at(-1);
  if (!last) return <p class="hint">{text.explain.none}</p>;
  return (
    <>
      <h3>{title(text, last.layer, last.unit)}</h3>
      <p class="value">
        <Figure value={last.explanation.value} name="value" />
      </p>
      {explained.map((unit) => (
        <Step key={unit.layer.index} explained={unit} theme={theme} />
      ))}
    </>
  );
}
