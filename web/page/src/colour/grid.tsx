import { useLayoutEffect, useRef } from "preact/hooks";
import { type Colours, paint } from "./paint";

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
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    paint(context, values, 0, rows, columns, colours, { x: 0, y: 0, width, height });
  });
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: this canvas takes no focus.
    <canvas
      ref={canvas}
      class="grid"
      width={width * devicePixelRatio}
      height={height * devicePixelRatio}
      style={{ width: `${width}px`, height: `${height}px` }}
      aria-hidden="true"
    />
  );
}
