// A drawing made into what MNIST's digits are: the ink's bounding box fitted to 20x20 pixels, then
// placed by its centre of mass in the middle of 28x28 (LeCun, Cortes, Burges, the MNIST database).

/** Pixels across what the network is given. */
export const SIZE = 28;
const BOX = 20;

/**
 * `ink`: `size` by `size` values from 0 (paper) to 255. Returns 28x28 values from 0 to 1; all zero
 * where there is no ink.
 */
export function centre(ink: Uint8Array, size: number): Float32Array {
  const box = bounds(ink, size);
  if (!box) return new Float32Array(SIZE * SIZE);
  const scale = BOX / Math.max(box.width, box.height);
  const width = Math.max(1, Math.round(box.width * scale));
  const height = Math.max(1, Math.round(box.height * scale));
  const digit = shrink(ink, size, box, width, height);
  return place(digit, width, height);
}

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

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

/** The mean ink under each of `width` by `height` pixels, where all of them together cover `box`. */
function shrink(ink: Uint8Array, size: number, box: Box, width: number, height: number) {
  const digit = new Float32Array(width * height);
  for (let row = 0; row < height; row++) {
    const [top, bottom] = share(box.top, box.height, row, height);
    for (let column = 0; column < width; column++) {
      const [left, right] = share(box.left, box.width, column, width);
      let [sum, area] = [0, 0];
      for (let y = Math.floor(top); y < bottom; y++) {
        const tall = Math.min(bottom, y + 1) - Math.max(top, y);
        for (let x = Math.floor(left); x < right; x++) {
          const part = tall * (Math.min(right, x + 1) - Math.max(left, x));
          sum += part * (ink[y * size + x] ?? 0);
          area += part;
        }
      }
      digit[row * width + column] = sum / area / 255;
    }
  }
  return digit;
}

function share(start: number, length: number, index: number, count: number): [number, number] {
  return [start + (length * index) / count, start + (length * (index + 1)) / count];
}

function place(digit: Float32Array, width: number, height: number): Float32Array {
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

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(most, value));
}
