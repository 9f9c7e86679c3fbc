import type { Theme } from "../colour/scale";
import { useText } from "../text";
import { Activation } from "./activation";
import type { ExplainedUnit } from "./explained-unit";
import { Pool } from "./pool";
import { Products } from "./products";

interface Props {
  explained: ExplainedUnit;
  theme: Theme;
  /** Width and height of a value's square, in pixels; small by default if there are many patches. */
  cell?: number;
}

/** The arithmetic of one value of one layer. */
export function Step({ explained, theme, cell }: Props) {
  const text = useText();
  const defaultCell = explained.explanation.terms.length > 8 ? 5 : 9;
  switch (explained.layer.kind) {
    case "input":
      return <p>{text.explain.input}</p>;
    case "convolution":
    case "linear":
      return <Products explained={explained} theme={theme} cell={cell ?? defaultCell} />;
    case "pool":
      return <Pool explained={explained} />;
    case "activation":
      return <Activation explained={explained} />;
  }
}
