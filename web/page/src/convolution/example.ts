// A small picture and a kernel over it, so that the sliding window has something to sum.

import type { ConvolutionSettings } from "../engine/protocol";

/** A ring of ink on `size` by `size` pixels, each from 0 to 1. */
export function picture(size: number): number[] {
  const middle = (size - 1) / 2;
  const radius = size * 0.32;
  const width = Math.max(0.8, size * 0.14);
  return Array.from({ length: size * size }, (_, at) => {
    const distance = Math.hypot((at % size) - middle, Math.floor(at / size) - middle);
    return Math.max(0, 1 - Math.abs(distance - radius) / width);
  });
}

/** A kernel that answers to edges which run up and down: columns fall from 1 to -1. */
export function edges(size: number): number[] {
  return Array.from({ length: size * size }, (_, at) =>
    size === 1 ? 1 : (1 - (2 * (at % size)) / (size - 1)) / size,
  );
}

export interface Tap {
  row: number;
  column: number;
  value: number;
  weight: number;
}

/** What the window of output `at` reads; places are those of the padded input. */
export function taps(settings: ConvolutionSettings, outputSize: number, at: number): Tap[] {
  const { input, kernel, stride, padding, dilation } = settings;
  const values = picture(input);
  const weights = edges(kernel);
  return weights.map((weight, tap) => {
    const row = Math.floor(at / outputSize) * stride + Math.floor(tap / kernel) * dilation;
    const column = (at % outputSize) * stride + (tap % kernel) * dilation;
    const [y, x] = [row - padding, column - padding];
    const inside = y >= 0 && x >= 0 && y < input && x < input;
    return { row, column, value: inside ? (values[y * input + x] ?? 0) : 0, weight };
  });
}

export function sum(taps: Tap[]): number {
  return taps.reduce((total, { value, weight }) => total + value * weight, 0);
}
