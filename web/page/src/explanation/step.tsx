import type { Unit } from "../colour/layout";
import type { Theme } from "../colour/scale";
import type { Explanation, LayerInfo } from "../engine/contract";
import { useText } from "../text";
import { Activation } from "./activation";
import { Pool } from "./pool";
import { Products } from "./products";

/** An explanation with the layer that it is of. */
export interface Explained {
  layer: LayerInfo;
  unit: Unit;
  explanation: Explanation;
}

interface Props {
  one: Explained;
  theme: Theme;
  /** Pixels that a value of a patch has across: few where there are many patches. */
  cell?: number;
}

/** The arithmetic of one value of one layer. */
export function Step({ one, theme, cell = one.explanation.terms.length > 8 ? 5 : 9 }: Props) {
  const text = useText();
  switch (one.layer.kind) {
    case "input":
      return <p>{text.explain.input}</p>;
    case "convolution":
    case "linear":
      return <Products one={one} theme={theme} cell={cell} />;
    case "pool":
      return <Pool one={one} />;
    case "activation":
      return <Activation one={one} />;
  }
}
