import { useEffect, useRef, useState } from "preact/hooks";
import { useText } from "../text";
import { centre, SIZE } from "./centre";
import { SHEET, Sheet } from "./pen";

interface Props {
  /** A digit to show in place of what is drawn; a new object each time. */
  sample: { ink: Uint8Array } | undefined;
  /** What the network is to see, whenever it changed. */
  onImage: (image: Float32Array) => void;
  /** The pen left the paper. */
  onStroke: () => void;
}

const STEP = SHEET / SIZE;
const MOVES: Record<string, [number, number]> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

/** Paper and pen, for pointers and for the keyboard. */
export function Pad({ sample, onImage, onStroke }: Props) {
  const text = useText();
  const canvas = useRef<HTMLCanvasElement>(null);
  const sheet = useRef<Sheet>(undefined);
  // A sample makes way for the first stroke.
  const printed = useRef(false);
  const [cursor, setCursor] = useState({ x: SHEET / 2, y: SHEET / 4, down: false });
  const [focused, setFocused] = useState(false);

  useEffect(() => {
    if (canvas.current) sheet.current = new Sheet(canvas.current);
  }, []);

  useEffect(() => {
    if (!sample) return;
    sheet.current?.show(sample.ink);
    printed.current = true;
    // MNIST's own digits are centred already.
    onImage(Float32Array.from(sample.ink, (ink) => ink / 255));
  }, [sample, onImage]);

  function send() {
    if (sheet.current) onImage(centre(sheet.current.ink(), SHEET));
  }

  function clear() {
    printed.current = false;
    setCursor((cursor) => ({ ...cursor, down: false }));
    sheet.current?.clear();
    send();
    onStroke();
  }

  function down(x: number, y: number) {
    if (printed.current) sheet.current?.clear();
    printed.current = false;
    sheet.current?.down(x, y);
    send();
  }

  function up() {
    if (!sheet.current?.drawing) return;
    sheet.current.up();
    onStroke();
  }

  function place(event: PointerEvent): [number, number] {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const scale = SHEET / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  function press(event: KeyboardEvent) {
    const move = MOVES[event.key];
    if (move) {
      const x = Math.max(0, Math.min(SHEET, cursor.x + move[0]));
      const y = Math.max(0, Math.min(SHEET, cursor.y + move[1]));
      setCursor({ ...cursor, x, y });
      if (cursor.down) {
        sheet.current?.move(x, y);
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
          width={SHEET}
          height={SHEET}
          tabIndex={0}
          role="application"
          aria-label={text.digit.pad}
          aria-describedby="pad-keys"
          onPointerDown={(event) => {
            if (event.button !== 0) return;
            event.currentTarget.setPointerCapture(event.pointerId);
            down(...place(event));
          }}
          onPointerMove={(event) => {
            if (!sheet.current?.drawing || cursor.down) return;
            const passed = event.getCoalescedEvents?.() ?? [];
            for (const step of passed.length > 0 ? passed : [event]) {
              const box = event.currentTarget.getBoundingClientRect();
              const scale = SHEET / box.width;
              sheet.current.move(
                (step.clientX - box.left) * scale,
                (step.clientY - box.top) * scale,
              );
            }
            send();
          }}
          onPointerUp={up}
          onPointerCancel={up}
          onKeyDown={press}
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
            style={{ left: `${(cursor.x / SHEET) * 100}%`, top: `${(cursor.y / SHEET) * 100}%` }}
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
