import type { Unit } from "../colour/layout";
import type { Explanation, LayerInfo } from "../engine/contract";

/** A unit of a layer and the explanation of its value. */
export interface ExplainedUnit {
  layer: LayerInfo;
  unit: Unit;
  explanation: Explanation;
}
