import { useEffect, useRef, useState } from "preact/hooks";
import { useText } from "../text";
import { CANVAS_SIZE, DrawingCanvas } from "./canvas";
import { centre, SIZE } from "./centre";

interface Props {
  /** Sample digit to show instead of the drawing; a new object for each choice. */
  sample: { ink: Uint8Array } | undefined;
  /** Called with the preprocessed drawing after every change. */
  onImage: (image: Float32Array) => void;
  /** Called after a stroke and after clearing. */
  onStroke: () => void;
}

/** Distance of one press of an arrow key: one pixel of the MNIST image. */
const STEP = CANVAS_SIZE / SIZE;
const MOVES: Record<string, [number, number]> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

/** A drawing area for pointers and for the keyboard. */
export function DrawingPad({ sample, onImage, onStroke }: Props) {
  const text = useText();
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawing = useRef<DrawingCanvas>(undefined);
  // Whether the canvas shows a sample; the first stroke clears it.
  const showsSample = useRef(false);
  const [cursor, setCursor] = useState({ x: CANVAS_SIZE / 2, y: CANVAS_SIZE / 4, down: false });
  const [focused, setFocused] = useState(false);

  useEffect(() => {
    if (canvas.current) drawing.current = new DrawingCanvas(canvas.current);
  }, []);

  useEffect(() => {
    if (!sample) return;
    drawing.current?.show(sample.ink);
    showsSample.current = true;
    // MNIST digits are already centred.
    onImage(Float32Array.from(sample.ink, (ink) => ink / 255));
  }, [sample, onImage]);

  function send() {
    if (drawing.current) onImage(centre(drawing.current.ink(), CANVAS_SIZE));
  }

  function clear() {
    showsSample.current = false;
    setCursor((cursor) => ({ ...cursor, down: false }));
    drawing.current?.clear();
    send();
    onStroke();
  }

  function down(x: number, y: number) {
    if (showsSample.current) drawing.current?.clear();
    showsSample.current = false;
    drawing.current?.down(x, y);
    send();
  }

  function up() {
    if (!drawing.current?.drawing) return;
    drawing.current.up();
    onStroke();
  }

  function canvasPoint(event: PointerEvent): [number, number] {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const scale = CANVAS_SIZE / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  function onKey(event: KeyboardEvent) {
    const move = MOVES[event.key];
    if (move) {
      const x = Math.max(0, Math.min(CANVAS_SIZE, cursor.x + move[0]));
      const y = Math.max(0, Math.min(CANVAS_SIZE, cursor.y + move[1]));
      setCursor({ ...cursor, x, y });
      if (cursor.down) {
        drawing.current?.move(x, y);
        send();
      }
    } else if (event.key === " ") {
      if (!event.repeat) {
        if (cursor.down) up();
        else down(cursor.x, cursor.y);
        setCursor({ ...cursor, down: !cursor.down });
      }
    } else if (event.key === "Delete" || event.key === "Backspace") {
      clear();
    } else {
      return;
    }
    event.preventDefault();
  }

  return (
    <div class="pad">
      <div class="paper">
        {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it handles keys itself. */}
        <canvas
          ref={canvas}
          width={CANVAS_SIZE}
          height={CANVAS_SIZE}
          tabIndex={0}
          role="application"
          aria-label={text.digit.pad}
          aria-describedby="pad-keys"
          onPointerDown={(event) => {
            if (event.button !== 0) return;
            event.currentTarget.setPointerCapture(event.pointerId);
            down(...canvasPoint(event));
          }}
          onPointerMove={(event) => {
            if (!drawing.current?.drawing || cursor.down) return;
            const moves = event.getCoalescedEvents?.() ?? [];
            for (const step of moves.length > 0 ? moves : [event]) {
              const box = event.currentTarget.getBoundingClientRect();
              const scale = CANVAS_SIZE / box.width;
              drawing.current.move(
                (step.clientX - box.left) * scale,
                (step.clientY - box.top) * scale,
              );
            }
            send();
          }}
          onPointerUp={up}
          onPointerCancel={up}
          onKeyDown={onKey}
          onFocus={(event) => setFocused(event.currentTarget.matches(":focus-visible"))}
          onBlur={() => {
            up();
            setFocused(false);
            setCursor({ ...cursor, down: false });
          }}
        />
        {focused && (
          <span
            class={cursor.down ? "pen down" : "pen"}
            style={{
              left: `${(cursor.x / CANVAS_SIZE) * 100}%`,
              top: `${(cursor.y / CANVAS_SIZE) * 100}%`,
            }}
          />
        )}
      </div>
      <p id="pad-keys" class="hint">
        {text.digit.keys}
      </p>
      <button type="button" class="button" onClick={clear}>
        {text.digit.clear}
      </button>
      <span class="unseen" role="status">
        {focused ? (cursor.down ? text.digit.penDown : text.digit.penUp) : ""}
      </span>
    </div>
  );
}
