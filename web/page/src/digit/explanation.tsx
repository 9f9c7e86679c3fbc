import type { Theme } from "../colour/scale";
import { useText } from "../text";
import { Figure } from "../text/figure";
import { Activation } from "./explanation/activation";
import { Pool } from "./explanation/pool";
import { Products } from "./explanation/products";
import { title } from "./names";
import type { Explained } from "./use-explorer";

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

function Step({ one, theme }: { one: Explained; theme: Theme }) {
  const text = useText();
  switch (one.layer.kind) {
    case "input":
      return <p>{text.explain.input}</p>;
    case "convolution":
    case "linear":
      return <Products one={one} theme={theme} />;
    case "pool":
      return <Pool one={one} />;
    case "activation":
      return <Activation one={one} />;
    default:
      return <p>{text.explain.same}</p>;
  }
}
