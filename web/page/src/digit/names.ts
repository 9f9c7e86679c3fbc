import type { Unit } from "../colour/layout";
import type { LayerInfo } from "../engine/contract";
import type { Text } from "../text";

const DIGITS = 10;

/** `c3, map 4, row 3, column 5`, counted from one; a digit's score by its digit. */
export function title(
  text: Text,
  { name, shape }: LayerInfo,
  { channel, row, column }: Unit,
): string {
  const [channels, height, width] = shape;
  if (channels === DIGITS && height === 1 && width === 1) return text.explain.score(name, channel);
  return height === 1 && width === 1
    ? text.explain.element(name, channel + 1)
    : text.explain.unit(name, channel + 1, row + 1, column + 1);
}
