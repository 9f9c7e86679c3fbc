import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Rect } from "../engine/contract";
import { layout, locate, place, type Unit } from "./layout";
import { type Colours, paintMaps } from "./paint";

/** A frame around a window of one channel's map, or around all maps. */
export interface Frame {
  channel: number | "all";
  window: Rect;
  /** How it looks: the unit itself, or what it was made of. */
  role: "unit" | "source" | "field";
}

interface Props {
  shape: [number, number, number];
  values: Float32Array | undefined;
  colours: Colours;
  label: string;
  /** Pixels that a map should at least have across, and at most. */
  least: number;
  most: number;
  frames?: Frame[];
  /** The unit that the keyboard stands on. */
  unit?: Unit | undefined;
  /** A unit was pointed at, or none; `hold` where it was pressed. */
  onUnit?: (unit: Unit | undefined, how: "point" | "hold" | "key") => void;
}

const ORIGIN: Unit = { channel: 0, row: 0, column: 0 };

/** All maps of a layer as one picture, whose units can be pointed at. */
export function Maps({ shape, values, colours, label, least, most, frames, unit, onUnit }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [room, setRoom] = useState(0);

  useEffect(() => {
    if (!holder.current) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setRoom(Math.floor(entry.contentRect.width));
    });
    observer.observe(holder.current);
    return () => observer.disconnect();
  }, []);

  const laid = layout(shape, room, least, most);

  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !values || room === 0) return;
    paintMaps(context, values, shape, laid, colours, devicePixelRatio);
  }, [values, room, colours.scale, colours.low, colours.high, shape.join()]);

  function at(event: PointerEvent): Unit | undefined {
    return locate(laid, shape, event.offsetX, event.offsetY);
  }

  function press(event: KeyboardEvent) {
    const next = step(unit ?? ORIGIN, shape, laid.columns, event.key);
    if (!next) return;
    event.preventDefault();
    onUnit?.(next, event.key === "Enter" ? "hold" : "key");
  }

  const interactive = onUnit && {
    tabIndex: 0,
    role: "application" as const,
    onPointerMove: (event: PointerEvent) => {
      if (event.pointerType !== "touch") onUnit(at(event), "point");
    },
    onPointerLeave: (event: PointerEvent) => {
      if (event.pointerType !== "touch") onUnit(undefined, "point");
    },
    onClick: (event: MouseEvent) => onUnit(at(event as PointerEvent), "hold"),
    onFocus: (event: FocusEvent) => {
      const byKey = (event.currentTarget as HTMLElement).matches(":focus-visible");
      if (byKey) onUnit(unit ?? ORIGIN, "key");
    },
    onKeyDown: press,
  };

  return (
    <div class="maps" ref={holder}>
      {room > 0 && (
        <div class="picture" style={{ width: `${laid.width}px`, height: `${laid.height}px` }}>
          <canvas
            ref={canvas}
            width={Math.round(laid.width * devicePixelRatio)}
            height={Math.round(laid.height * devicePixelRatio)}
            style={{ width: `${laid.width}px`, height: `${laid.height}px` }}
            role="img"
            aria-label={label}
            {...interactive}
          />
          {frames?.map(({ channel, window, role }) => {
            const { x, y, width, height } =
              channel === "all" ? { x: 0, y: 0, ...laid } : place(laid, channel, window);
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

/** The unit that a key leads to: arrows within a map, page keys from map to map. */
function step(
  { channel, row, column }: Unit,
  [channels, height, width]: [number, number, number],
  columns: number,
  key: string,
): Unit | undefined {
  const strip = height === 1 && width === 1;
  const bounded = (value: number, count: number) => Math.max(0, Math.min(count - 1, value));
  const map = (by: number) => ({ channel: bounded(channel + by, channels), row, column });
  const within = (down: number, right: number) =>
    strip
      ? map(down * columns + right)
      : { channel, row: bounded(row + down, height), column: bounded(column + right, width) };
  switch (key) {
    case "ArrowLeft":
      return within(0, -1);
    case "ArrowRight":
      return within(0, 1);
    case "ArrowUp":
      return within(-1, 0);
    case "ArrowDown":
      return within(1, 0);
    case "PageUp":
      return map(-1);
    case "PageDown":
      return map(1);
    case "Enter":
      return { channel, row, column };
    default:
      return undefined;
  }
}
