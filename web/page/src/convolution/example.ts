// The picture and the kernel of the sliding window.

import type { Operation, SingleLayer, WindowSettings } from "../engine/protocol";

/** Returns a picture of a ring, `size` by `size` pixels from 0 (paper) to 1 (ink). */
function ring(size: number): Float32Array {
  const middle = (size - 1) / 2;
  const radius = size * 0.32;
  const width = Math.max(0.8, size * 0.14);
  return Float32Array.from({ length: size * size }, (_, pixel) => {
    const distance = Math.hypot((pixel % size) - middle, Math.floor(pixel / size) - middle);
    return Math.max(0, 1 - Math.abs(distance - radius) / width);
  });
}

/** Returns a kernel that detects vertical edges: its columns fall from 1 / size to -1 / size. */
function verticalEdges(size: number): Float32Array {
  return Float32Array.from({ length: size * size }, (_, tap) =>
    size === 1 ? 1 : (1 - (2 * (tap % size)) / (size - 1)) / size,
  );
}

/** Returns the layer with these settings, its kernel and its input. */
export function example(operation: Operation, settings: WindowSettings): SingleLayer {
  return {
    operation,
    settings,
    picture: ring(settings.input),
    weights: verticalEdges(settings.kernel),
  };
}

/** Returns the positions in the padded input that the window reads for output value `position`. */
export function taps(
  { kernel, stride, dilation }: WindowSettings,
  outputSize: number,
  position: number,
): { row: number; column: number }[] {
  return Array.from({ length: kernel * kernel }, (_, tap) => ({
    row: Math.floor(position / outputSize) * stride + Math.floor(tap / kernel) * dilation,
    column: (position % outputSize) * stride + (tap % kernel) * dilation,
  }));
}
