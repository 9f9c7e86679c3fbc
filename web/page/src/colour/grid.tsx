import { useLayoutEffect, useRef } from "preact/hooks";
import { type Colours, paintMaps } from "./paint";

interface Props {
  values: number[];
  rows: number;
  columns: number;
  colours: Colours;
  /** Pixels of a value's square. */
  cell: number;
}

/** A few values as coloured squares. What they say is said in words beside them. */
export function Grid({ values, rows, columns, colours, cell }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, height] = [columns * cell, rows * cell];
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const laid = { columns: 1, rows: 1, scale: cell, across: width, down: height, width, height };
    paintMaps(context, values, [1, rows, columns], laid, colours, devicePixelRatio);
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
