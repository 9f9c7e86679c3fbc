// A small picture and a kernel over it, so that the sliding window has something to do.

import type { HandLayer, Operation, WindowSettings } from "../engine/protocol";

/** A ring of ink on `size` by `size` pixels, each from 0 to 1. */
function picture(size: number): Float32Array {
  const middle = (size - 1) / 2;
  const radius = size * 0.32;
  const width = Math.max(0.8, size * 0.14);
  return Float32Array.from({ length: size * size }, (_, at) => {
    const distance = Math.hypot((at % size) - middle, Math.floor(at / size) - middle);
    return Math.max(0, 1 - Math.abs(distance - radius) / width);
  });
}

/** A kernel that answers to edges which run up and down: columns fall from 1 to -1. */
function edges(size: number): Float32Array {
  return Float32Array.from({ length: size * size }, (_, at) =>
    size === 1 ? 1 : (1 - (2 * (at % size)) / (size - 1)) / size,
  );
}

/** The layer of these settings on the picture. */
export function example(operation: Operation, settings: WindowSettings): HandLayer {
  return { operation, settings, picture: picture(settings.input), weights: edges(settings.kernel) };
}

/** Rows and columns of the padded input that the window of output `at` reads. */
export function taps(
  { kernel, stride, dilation }: WindowSettings,
  outputSize: number,
  at: number,
): { row: number; column: number }[] {
  return Array.from({ length: kernel * kernel }, (_, tap) => ({
    row: Math.floor(at / outputSize) * stride + Math.floor(tap / kernel) * dilation,
    column: (at % outputSize) * stride + (tap % kernel) * dilation,
  }));
}
