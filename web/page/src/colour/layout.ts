// Layout of a layer's feature maps in one picture.

import type { Rect } from "../engine/contract";

/** Positions of a layer's feature maps in one picture, in pixels. */
export interface Layout {
  /** Number of feature maps in a row of the picture. */
  columns: number;
  /** Number of rows of feature maps. */
  rows: number;
  /** Pixels per value. */
  scale: number;
  /** Distance between the left edges of neighbouring feature maps. */
  columnStride: number;
  /** Distance between the top edges of neighbouring feature maps. */
  rowStride: number;
  width: number;
  height: number;
}

/** Indices of one value of a layer, counted from 0. */
export interface Unit {
  channel: number;
  row: number;
  column: number;
}

/** Size of a vector's element and the gap between elements, in pixels. */
const VECTOR = { cell: 13, gap: 1 };

/**
 * Lays out the feature maps of a layer, `[channels, height, width]`, in a picture at most
 * `availableWidth` pixels wide.
 *
 * The layout has as many columns as possible so that a feature map is at least `minSize` pixels wide.
 * All rows have the same number of feature maps, except for more than 64 channels. A feature map is at
 * most `maxSize` pixels wide. The elements of a vector are small squares.
 */
export function layoutMaps(
  [channels, height, width]: [number, number, number],
  availableWidth: number,
  minSize: number,
  maxSize: number,
): Layout {
  const vector = height === 1 && width === 1;
  const gap = vector ? VECTOR.gap : width * height > 36 ? 6 : 4;
  let columns = 1;
  let size = vector ? VECTOR.cell : Math.min(maxSize, availableWidth);
  for (let count = channels; count >= 1; count--) {
    const mapSize = floorToMultiple(
      Math.floor((availableWidth - (count - 1) * gap) / count),
      width,
    );
    const even = channels % count === 0 || vector || channels > 64;
    if (even && mapSize >= (vector ? VECTOR.cell : minSize)) {
      columns = count;
      size = vector ? VECTOR.cell : Math.min(maxSize, mapSize);
      break;
    }
  }
  const scale = floorToMultiple(size, width) / width;
  const rows = Math.ceil(channels / columns);
  const columnStride = Math.ceil(width * scale) + gap;
  const rowStride = Math.ceil(height * scale) + gap;
  return {
    columns,
    rows,
    scale,
    columnStride,
    rowStride,
    width: columns * columnStride - gap,
    height: rows * rowStride - gap,
  };
}

/** Rounds `size` down to a multiple of `count`; returns a smaller `size` unchanged. */
function floorToMultiple(size: number, count: number): number {
  return size >= count ? Math.floor(size / count) * count : size;
}

/** Returns the top left corner of a channel's feature map. */
export function corner({ columns, columnStride, rowStride }: Layout, channel: number) {
  return {
    x: (channel % columns) * columnStride,
    y: Math.floor(channel / columns) * rowStride,
  };
}

/** Returns the pixels of a window in a channel's feature map; the window may extend into the padding. */
export function windowPixels(layout: Layout, channel: number, { top, left, height, width }: Rect) {
  const { x, y } = corner(layout, channel);
  return {
    x: x + left * layout.scale,
    y: y + top * layout.scale,
    width: width * layout.scale,
    height: height * layout.scale,
  };
}

/** Returns the unit at a pixel of the picture, or undefined between and outside feature maps. */
export function unitAt(
  layout: Layout,
  [channels, height, width]: [number, number, number],
  x: number,
  y: number,
): Unit | undefined {
  const mapRow = Math.floor(y / layout.rowStride);
  const channel = mapRow * layout.columns + Math.floor(x / layout.columnStride);
  const column = Math.floor((x % layout.columnStride) / layout.scale);
  const row = Math.floor((y % layout.rowStride) / layout.scale);
  if (x < 0 || y < 0 || channel >= channels || x >= layout.columns * layout.columnStride)
    return undefined;
  if (column >= width || row >= height) return undefined;
  return { channel, row, column };
}
