import { corner, type Layout } from "./layout";
import { colour, type Scale } from "./scale";

/** How values become colours. */
export interface Colours {
  scale: Scale;
  low: number;
  high: number;
}

/** Paints all maps of a layer, `density` pixels of the canvas for each of the layout's. */
export function paintMaps(
  context: CanvasRenderingContext2D,
  values: ArrayLike<number>,
  [channels, height, width]: [number, number, number],
  laid: Layout,
  colours: Colours,
  density: number,
): void {
  const maps = Array.from({ length: channels }, (_, channel) => {
    const { x, y } = corner(laid, channel);
    const place = { x: x * density, y: y * density, scale: laid.scale * density };
    return { offset: channel * height * width, ...place };
  });
  if (laid.scale * density < 1) shrink(context, values, height, width, maps, colours);
  else enlarge(context, values, height, width, maps, colours);
}

interface Place {
  offset: number;
  x: number;
  y: number;
  scale: number;
}

/** Squares of one colour, all in one image: a call of the canvas for each map would take longer. */
function enlarge(
  context: CanvasRenderingContext2D,
  values: ArrayLike<number>,
  height: number,
  width: number,
  maps: Place[],
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

const source = document.createElement("canvas");

/** Maps with more values than there are pixels for them, smoothed. */
function shrink(
  context: CanvasRenderingContext2D,
  values: ArrayLike<number>,
  height: number,
  width: number,
  maps: Place[],
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
