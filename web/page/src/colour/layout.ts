// Where each map of a layer lies in one picture of them all.

import type { Rect } from "../engine/contract";

export interface Layout {
  columns: number;
  rows: number;
  /** Pixels of the picture for each value. */
  scale: number;
  /** Pixels from one map's corner to the next one's. */
  across: number;
  down: number;
  width: number;
  height: number;
}

export interface Unit {
  channel: number;
  row: number;
  column: number;
}

const STRIP = { cell: 13, gap: 1 };

/**
 * Lays out the maps of a layer, `[channels, height, width]`, in a picture at most `room` pixels wide.
 * Maps stand in as many equal rows as make them at least `least` pixels wide and at most `most`;
 * a vector's values are a strip of small squares.
 */
export function layout(
  [channels, height, width]: [number, number, number],
  room: number,
  least: number,
  most: number,
): Layout {
  const strip = height === 1 && width === 1;
  const gap = strip ? STRIP.gap : width * height > 36 ? 6 : 4;
  let columns = 1;
  let size = strip ? STRIP.cell : Math.min(most, room);
  for (let count = channels; count >= 1; count--) {
    const each = whole(Math.floor((room - (count - 1) * gap) / count), width);
    const even = channels % count === 0 || strip || channels > 64;
    if (even && each >= (strip ? STRIP.cell : least)) {
      columns = count;
      size = strip ? STRIP.cell : Math.min(most, each);
      break;
    }
  }
  const scale = whole(size, width) / width;
  const rows = Math.ceil(channels / columns);
  const across = Math.ceil(width * scale) + gap;
  const down = Math.ceil(height * scale) + gap;
  return {
    columns,
    rows,
    scale,
    across,
    down,
    width: columns * across - gap,
    height: rows * down - gap,
  };
}

/** The most pixels within `size` that make whole pixels of `count` values, where there are so many. */
function whole(size: number, count: number): number {
  return size >= count ? Math.floor(size / count) * count : size;
}

/** The corner of a channel's map. */
export function corner({ columns, across, down }: Layout, channel: number) {
  return { x: (channel % columns) * across, y: Math.floor(channel / columns) * down };
}

/** The place of a window of a channel's map; it may lie over the map's border. */
export function place(layout: Layout, channel: number, { top, left, height, width }: Rect) {
  const { x, y } = corner(layout, channel);
  return {
    x: x + left * layout.scale,
    y: y + top * layout.scale,
    width: width * layout.scale,
    height: height * layout.scale,
  };
}

/** The unit at a place of the picture. */
export function locate(
  layout: Layout,
  [channels, height, width]: [number, number, number],
  x: number,
  y: number,
): Unit | undefined {
  const channel = Math.floor(y / layout.down) * layout.columns + Math.floor(x / layout.across);
  const column = Math.floor((x % layout.across) / layout.scale);
  const row = Math.floor((y % layout.down) / layout.scale);
  if (x < 0 || y < 0 || channel >= channels || x >= layout.columns * layout.across)
    return undefined;
  if (column >= width || row >= height) return undefined;
  return { channel, row, column };
}
