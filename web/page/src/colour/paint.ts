import { corner, type Layout } from "./layout";
import { colour, type Scale } from "./scale";

/** Mapping of values to colours: `low` and `high` are the ends of the colour scale. */
export interface Colours {
  scale: Scale;
  low: number;
  high: number;
}

/** Paints all feature maps of a layer; the canvas has `density` pixels for each pixel of the layout. */
export function paintMaps(
  context: CanvasRenderingContext2D,
  values: ArrayLike<number>,
  [channels, height, width]: [number, number, number],
  layout: Layout,
  colours: Colours,
  density: number,
): void {
  const maps = Array.from({ length: channels }, (_, channel) => {
    const { x, y } = corner(layout, channel);
    return {
      offset: channel * height * width,
      x: x * density,
      y: y * density,
      scale: layout.scale * density,
    };
  });
  if (layout.scale * density < 1) shrink(context, values, height, width, maps, colours);
  else enlarge(context, values, height, width, maps, colours);
}

/** A feature map on the canvas. */
interface PlacedMap {
  /** Index of the feature map's first value. */
  offset: number;
  /** Left edge on the canvas. */
  x: number;
  /** Top edge on the canvas. */
  y: number;
  /** Canvas pixels per value. */
  scale: number;
}

/**
 * Paints each value as a square. All feature maps are written to one image, because one canvas call for
 * each feature map is slower.
 */
function enlarge(
  context: CanvasRenderingContext2D,
  values: ArrayLike<number>,
  height: number,
  width: number,
  maps: PlacedMap[],
  { scale: colourScale, low, high }: Colours,
): void {
  const image = context.createImageData(context.canvas.width, context.canvas.height);
  const words = new Uint32Array(image.data.buffer);
  for (const { offset, x, y, scale } of maps) {
    for (let row = 0; row < height; row++) {
      const top = Math.round(y + row * scale) * image.width;
      const bottom = Math.round(y + (row + 1) * scale) * image.width;
      const left = Math.round(x);
      for (let column = 0; column < width; column++) {
        const value = values[offset + row * width + column] as number;
        const start = Math.round(x + column * scale);
        const end = Math.round(x + (column + 1) * scale);
        words.fill(colour(colourScale, value, low, high), top + start, top + end);
      }
      const right = Math.round(x + width * scale);
      for (let line = top + image.width; line < bottom; line += image.width) {
        words.copyWithin(line + left, top + left, top + right);
      }
    }
  }
  context.putImageData(image, 0, 0);
}

/** Canvas that holds one feature map before `shrink` scales it down. */
const source = document.createElement("canvas");

/** Paints feature maps that have more values than canvas pixels, with smoothing. */
function shrink(
  context: CanvasRenderingContext2D,
  values: ArrayLike<number>,
  height: number,
  width: number,
  maps: PlacedMap[],
  { scale: colourScale, low, high }: Colours,
): void {
  source.width = width;
  source.height = height;
  const image = new ImageData(width, height);
  const words = new Uint32Array(image.data.buffer);
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  for (const { offset, x, y, scale } of maps) {
    for (let index = 0; index < words.length; index++) {
      words[index] = colour(colourScale, values[offset + index] as number, low, high);
    }
    source.getContext("2d")?.putImageData(image, 0, 0);
    context.drawImage(source, x, y, width * scale, height * scale);
  }
}
