import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Rect } from "../engine/contract";
import { layoutMaps, type Unit, unitAt, windowPixels } from "./layout";
import { type Colours, paintMaps } from "./paint";

/** A frame around a window of one channel's feature map, or around all feature maps. */
export interface Frame {
  channel: number | "all";
  window: Rect;
  /** What the frame marks: the selected unit, the window that the unit reads, or the receptive field. */
  role: "unit" | "source" | "field";
}

/** How a unit was selected: by the pointer, by a click or Enter, or by another key. */
export type SelectionKind = "hover" | "pin" | "key";

interface Props {
  shape: [number, number, number];
  values: Float32Array | undefined;
  colours: Colours;
  label: string;
  /** Smallest and largest width of a feature map, in pixels. */
  minSize: number;
  maxSize: number;
  frames?: Frame[];
  /** The unit that the keyboard has selected. */
  unit?: Unit | undefined;
  /** Called when the visitor points at a unit or leaves it, pins a unit, or selects one by keyboard. */
  onUnit?: (unit: Unit | undefined, how: SelectionKind) => void;
}

const ORIGIN: Unit = { channel: 0, row: 0, column: 0 };

/** All feature maps of a layer as one picture, in which a unit can be selected. */
export function Maps(props: Props) {
  const { shape, values, colours, label, minSize, maxSize, frames, unit, onUnit } = props;
  const holder = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [availableWidth, setAvailableWidth] = useState(0);

  useEffect(() => {
    if (!holder.current) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setAvailableWidth(Math.floor(entry.contentRect.width));
    });
    observer.observe(holder.current);
    return () => observer.disconnect();
  }, []);

  const layout = layoutMaps(shape, availableWidth, minSize, maxSize);

  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !values || availableWidth === 0) return;
    paintMaps(context, values, shape, layout, colours, devicePixelRatio);
  }, [values, availableWidth, colours.scale, colours.low, colours.high, shape.join()]);

  function unitUnder(event: PointerEvent): Unit | undefined {
    return unitAt(layout, shape, event.offsetX, event.offsetY);
  }

  function onKey(event: KeyboardEvent) {
    const next = move(unit ?? ORIGIN, shape, layout.columns, event.key);
    if (!next) return;
    event.preventDefault();
    onUnit?.(next, event.key === "Enter" ? "pin" : "key");
  }

  const interactive = onUnit && {
    tabIndex: 0,
    role: "application" as const,
    onPointerMove: (event: PointerEvent) => {
      if (event.pointerType !== "touch") onUnit(unitUnder(event), "hover");
    },
    onPointerLeave: (event: PointerEvent) => {
      if (event.pointerType !== "touch") onUnit(undefined, "hover");
    },
    onClick: (event: MouseEvent) => onUnit(unitUnder(event as PointerEvent), "pin"),
    onFocus: (event: FocusEvent) => {
      const byKey = (event.currentTarget as HTMLElement).matches(":focus-visible");
      if (byKey) onUnit(unit ?? ORIGIN, "key");
    },
    onKeyDown: onKey,
  };

  return (
    <div class="maps" ref={holder}>
      {availableWidth > 0 && (
        <div class="picture" style={{ width: `${layout.width}px`, height: `${layout.height}px` }}>
          <canvas
            ref={canvas}
            width={Math.round(layout.width * devicePixelRatio)}
            height={Math.round(layout.height * devicePixelRatio)}
            style={{ width: `${layout.width}px`, height: `${layout.height}px` }}
            role="img"
            aria-label={label}
            {...interactive}
          />
          {frames?.map(({ channel, window, role }) => {
            const { x, y, width, height } =
              channel === "all" ? { x: 0, y: 0, ...layout } : windowPixels(layout, channel, window);
            return (
              <span
                key={`${role}${channel}`}
                class={`frame ${role}`}
                style={{
                  transform: `translate(${x}px, ${y}px)`,
                  width: `${width}px`,
                  height: `${height}px`,
                }}
              />
            );
          })}
        </div>
      )}
    </div>
  );
}

/**
 * Returns the unit that a key selects: the arrow keys move within a feature map, the page keys switch
 * between feature maps, and Enter keeps the unit.
 */
function move(
  { channel, row, column }: Unit,
  [channels, height, width]: [number, number, number],
  columns: number,
  key: string,
): Unit | undefined {
  const vector = height === 1 && width === 1;
  const clamp = (value: number, count: number) => Math.max(0, Math.min(count - 1, value));
  const moveChannel = (by: number) => ({ channel: clamp(channel + by, channels), row, column });
  const moveWithin = (down: number, right: number) =>
    vector
      ? moveChannel(down * columns + right)
      : { channel, row: clamp(row + down, height), column: clamp(column + right, width) };
  switch (key) {
    case "ArrowLeft":
      return moveWithin(0, -1);
    case "ArrowRight":
      return moveWithin(0, 1);
    case "ArrowUp":
      return moveWithin(-1, 0);
    case "ArrowDown":
      return moveWithin(1, 0);
    case "PageUp":
      return moveChannel(-1);
    case "PageDown":
      return moveChannel(1);
    case "Enter":
      return { channel, row, column };
    default:
      return undefined;
  }
}
