// Perceptually uniform colour maps of 256 steps: straight lines in CIELAB. The two ends of the signed
// colour map differ equally in lightness from the middle.

import { interpolateLab, piecewise } from "d3-interpolate";

export type Theme = "light" | "dark";

/** 256 colours, each as a 32-bit word of an `ImageData`. */
export type Scale = Uint32Array;

/** Colours at the ends and in the middle of the colour maps. */
const ENDS = {
  light: {
    negative: "#95480c",
    zero: "#f7f4ef",
    positive: "#1a5490",
    paper: "#fdfcfa",
    ink: "#1d1b18",
  },
  dark: {
    negative: "#ffb561",
    zero: "#1f1d1b",
    positive: "#85bdff",
    paper: "#1f1d1b",
    ink: "#f4f0e8",
  },
};

function scale(colours: string[]): Scale {
  const at = piecewise(interpolateLab, colours);
  const bytes = new Uint8ClampedArray(256 * 4);
  for (let step = 0; step < 256; step++) {
    const [red = 0, green = 0, blue = 0] =
      at(step / 255)
        .match(/\d+/g)
        ?.map(Number) ?? [];
    bytes.set([red, green, blue, 255], step * 4);
  }
  return new Uint32Array(bytes.buffer);
}

function scales({ negative, zero, positive, paper, ink }: (typeof ENDS)[Theme]) {
  return { signed: scale([negative, zero, positive]), ink: scale([paper, ink]) };
}

export const SCALES: Record<Theme, { signed: Scale; ink: Scale }> = {
  light: scales(ENDS.light),
  dark: scales(ENDS.dark),
};

/** Returns the colour of `value` on a scale from `low` to `high`; values out of range are clamped. */
export function colour(scale: Scale, value: number, low: number, high: number): number {
  const step = high > low ? ((value - low) / (high - low)) * 255 : 127.5;
  return scale[Math.max(0, Math.min(255, Math.round(step)))] as number;
}

/** Converts a colour to a CSS colour. */
export function css(word: number): string {
  return `rgb(${word & 255} ${(word >> 8) & 255} ${(word >> 16) & 255})`;
}

/** Returns the largest absolute value, at least `min`: the end of a signed colour scale. */
export function maxAbs(values: ArrayLike<number>, min = 1e-6): number {
  let max = min;
  for (let index = 0; index < values.length; index++) {
    const size = Math.abs(values[index] as number);
    if (size > max) max = size;
  }
  return max;
}
