import type { Unit } from "../colour/layout";
import type { LayerInfo } from "../engine/contract";
import type { Text } from "../text";

const DIGITS = 10;

/**
 * Returns the name of a unit: `c3, channel 4, row 3, column 5`, counted from 1. The name of a logit
 * contains its digit.
 */
export function title(
  text: Text,
  { name, shape }: LayerInfo,
  { channel, row, column }: Unit,
): string {
  const [channels, height, width] = shape;
  if (channels === DIGITS && height === 1 && width === 1) return text.explain.logit(name, channel);
  return height === 1 && width === 1
    ? text.explain.element(name, channel + 1)
    : text.explain.unit(name, channel + 1, row + 1, column + 1);
}
