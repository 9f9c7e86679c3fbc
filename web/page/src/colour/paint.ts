import { colour, type Scale } from "./scale";

const source = document.createElement("canvas");

/** How values become colours. */
export interface Colours {
  scale: Scale;
  low: number;
  high: number;
}

/** Paints `rows` by `columns` values, one pixel each, scaled to the given place of `context`. */
export function paint(
  context: CanvasRenderingContext2D,
  values: ArrayLike<number>,
  offset: number,
  rows: number,
  columns: number,
  { scale, low, high }: Colours,
  place: { x: number; y: number; width: number; height: number },
): void {
  const image = new ImageData(columns, rows);
  const words = new Uint32Array(image.data.buffer);
  for (let index = 0; index < words.length; index++) {
    words[index] = colour(scale, values[offset + index] as number, low, high);
  }
  if (source.width < columns) source.width = columns;
  if (source.height < rows) source.height = rows;
  source.getContext("2d")?.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = place.width < columns;
  context.drawImage(source, 0, 0, columns, rows, place.x, place.y, place.width, place.height);
}
