import { useLayoutEffect, useRef } from "preact/hooks";
import { type Colours, paintMaps } from "./paint";

interface Props {
  values: number[];
  rows: number;
  columns: number;
  colours: Colours;
  /** Width and height of a value's square, in pixels. */
  cell: number;
}

/** A small matrix as coloured squares. The page must also show the values as text. */
export function Grid({ values, rows, columns, colours, cell }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, height] = [columns * cell, rows * cell];
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const layout = {
      columns: 1,
      rows: 1,
      scale: cell,
      columnStride: width,
      rowStride: height,
      width,
      height,
    };
    paintMaps(context, values, [1, rows, columns], layout, colours, devicePixelRatio);
  });
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: this canvas takes no focus.
    <canvas
      ref={canvas}
      class="grid"
      width={Math.round(width * devicePixelRatio)}
      height={Math.round(height * devicePixelRatio)}
      style={{ width: `${width}px`, height: `${height}px` }}
      aria-hidden="true"
    />
  );
}
