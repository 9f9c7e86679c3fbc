// Preprocessing of a drawing as in MNIST: the bounding box of the ink is scaled to fit 20x20 pixels and
// placed in 28x28 pixels so that its centre of mass is in the middle (LeCun, Cortes, Burges, the MNIST
// database).

/** Height and width of an MNIST image, in pixels. */
export const SIZE = 28;
/** Size of the longer side of the digit, in pixels. */
const BOX = 20;

/**
 * Scales and centres a drawing. `ink` has `size` by `size` values from 0 (paper) to 255 (ink). Returns
 * 28x28 values from 0 to 1, all 0 for a blank drawing.
 */
export function centre(ink: Uint8Array, size: number): Float32Array {
  const box = bounds(ink, size);
  if (!box) return new Float32Array(SIZE * SIZE);
  const scale = BOX / Math.max(box.width, box.height);
  const width = Math.max(1, Math.round(box.width * scale));
  const height = Math.max(1, Math.round(box.height * scale));
  const digit = resample(ink, size, box, width, height);
  return centreOfMassToMiddle(digit, width, height);
}

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Returns the bounding box of the ink, or undefined for a blank drawing. */
function bounds(ink: Uint8Array, size: number): Box | undefined {
  let [left, top, right, bottom] = [size, size, -1, -1];
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      if (ink[row * size + column] === 0) continue;
      left = Math.min(left, column);
      right = Math.max(right, column);
      top = Math.min(top, row);
      bottom = Math.max(bottom, row);
    }
  }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Resamples `box` to `width` by `height` pixels; each pixel is the mean of the ink that it covers. */
function resample(ink: Uint8Array, size: number, box: Box, width: number, height: number) {
  const digit = new Float32Array(width * height);
  for (let row = 0; row < height; row++) {
    const [top, bottom] = pixelSpan(box.top, box.height, row, height);
    for (let column = 0; column < width; column++) {
      const [left, right] = pixelSpan(box.left, box.width, column, width);
      let [sum, area] = [0, 0];
      for (let y = Math.floor(top); y < bottom; y++) {
        const overlapHeight = Math.min(bottom, y + 1) - Math.max(top, y);
        for (let x = Math.floor(left); x < right; x++) {
          const overlap = overlapHeight * (Math.min(right, x + 1) - Math.max(left, x));
          sum += overlap * (ink[y * size + x] ?? 0);
          area += overlap;
        }
      }
      digit[row * width + column] = sum / area / 255;
    }
  }
  return digit;
}

/** Returns the span of pixel `index` if `count` pixels divide the span from `start` of `length`. */
function pixelSpan(start: number, length: number, index: number, count: number): [number, number] {
  return [start + (length * index) / count, start + (length * (index + 1)) / count];
}

/** Places the digit in 28x28 pixels so that its centre of mass is in the middle. */
function centreOfMassToMiddle(digit: Float32Array, width: number, height: number): Float32Array {
  let [mass, x, y] = [0, 0, 0];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const ink = digit[row * width + column] ?? 0;
      mass += ink;
      x += ink * (column + 0.5);
      y += ink * (row + 0.5);
    }
  }
  const left = clamp(Math.round(SIZE / 2 - x / mass), SIZE - width);
  const top = clamp(Math.round(SIZE / 2 - y / mass), SIZE - height);
  const image = new Float32Array(SIZE * SIZE);
  for (let row = 0; row < height; row++) {
    image.set(digit.subarray(row * width, (row + 1) * width), (top + row) * SIZE + left);
  }
  return image;
}

function clamp(value: number, max: number): number {
  return Math.max(0, Math.min(max, value));
}
