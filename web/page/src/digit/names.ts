import type { Unit } from "../colour/layout";
import type { LayerInfo } from "../engine/contract";
import type { Text } from "../text";

/** `c3, map 4, row 3, column 5`, all counted from one. */
export function title(
  text: Text,
  { name, shape }: LayerInfo,
  { channel, row, column }: Unit,
): string {
  const [, height, width] = shape;
  return height === 1 && width === 1
    ? text.explain.element(name, channel + 1)
    : text.explain.unit(name, channel + 1, row + 1, column + 1);
}
