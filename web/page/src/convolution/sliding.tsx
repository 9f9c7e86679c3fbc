import { useEffect, useState } from "preact/hooks";
import { colour, css, limit, SCALES } from "../colour/scale";
import { Step } from "../explanation/step";
import { Problem } from "../shell/problem";
import { useTheme } from "../shell/theme";
import { useText } from "../text";
import { decimal } from "../text/numbers";
import { taps } from "./example";
import { type Slid, useStop } from "./use-slide";

/** Milliseconds that the whole way takes at most, and one step at least and at most. */
const WHOLE = 14000;
const PACE = { least: 70, most: 450 };

/** Pixels that the patch under the window has across, where its products are shown. */
const PATCH = 84;
/** How dark the darkest ink is drawn, so that the window shows on it. */
const INK = 0.8;

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** The window on its way over the padded input, and the output that it fills. */
export function Sliding({ slid: { hand, layer, values } }: { slid: Slid }) {
  const text = useText();
  const theme = useTheme();
  const size = layer.shape[1];
  const count = size * size;
  const [at, setAt] = useState(0);
  const [playing, setPlaying] = useState(!still.matches);
  const [row, column] = [Math.floor(at / size), at % size];
  const { explanation, problem } = useStop(hand, row, column);

  useEffect(() => {
    if (!playing) return;
    const pace = Math.max(PACE.least, Math.min(PACE.most, WHOLE / count));
    const timer = setInterval(() => setAt((at) => (at + 1) % count), pace);
    return () => clearInterval(timer);
  }, [playing, count]);

  const { operation, settings, picture, weights } = hand;
  const { input, padding, kernel, dilation } = settings;
  const convolution = operation === "convolution";
  const read = taps(settings, size, at);
  const first = read[0];
  const scales = SCALES[theme];
  const most = limit(values, 0.1);
  const ink = (value: number) =>
    css(
      convolution
        ? colour(scales.signed, value, -most, most)
        : colour(scales.ink, value * INK, 0, 1),
    );
  const made = text.convolution.made(row + 1, column + 1);
  const across = input + 2 * padding;
  const extent = dilation * (kernel - 1) + 1;
  const square = (row: number, column: number) => ({ x: column, y: row, width: 1, height: 1 });

  function step(by: number) {
    setPlaying(false);
    setAt((at + by + count) % count);
  }

  return (
    <section class="sliding" aria-label={text.convolution.window}>
      <div class="squares">
        <figure>
          <figcaption>{text.convolution.padded(across)}</figcaption>
          <svg
            viewBox={`-0.1 -0.1 ${across + 0.2} ${across + 0.2}`}
            role="img"
            aria-label={text.convolution.padded(across)}
          >
            {Array.from({ length: across * across }, (_, place) => {
              const [row, column] = [Math.floor(place / across), place % across];
              const [y, x] = [row - padding, column - padding];
              const inside = y >= 0 && x >= 0 && y < input && x < input;
              const value = picture[y * input + x] ?? 0;
              return (
                <rect
                  key={place}
                  {...square(row, column)}
                  class={inside ? "cell" : "cell margin"}
                  {...(inside ? { fill: css(colour(scales.ink, value * INK, 0, 1)) } : {})}
                />
              );
            })}
            {read.map(({ row, column }) => (
              <rect key={`${row}.${column}`} class="tap" {...square(row, column)} />
            ))}
            {first && (
              <rect class="window" x={first.column} y={first.row} width={extent} height={extent} />
            )}
          </svg>
        </figure>
        <div class="results">
          <figure>
            <figcaption>{text.convolution.output(size)}</figcaption>
            <svg
              viewBox={`-0.1 -0.1 ${size + 0.2} ${size + 0.2}`}
              role="img"
              aria-label={text.convolution.output(size)}
              style={{ maxWidth: `${(size / across) * 100}%` }}
            >
              {[...values].map((value, place) => (
                <rect
                  key={place}
                  {...square(Math.floor(place / size), place % size)}
                  class={place <= at ? "cell" : "cell empty"}
                  {...(place <= at ? { fill: ink(value) } : {})}
                />
              ))}
              <rect class="window" {...square(row, column)} />
            </svg>
          </figure>
          {convolution && (
            <figure>
              <figcaption>{text.convolution.weights(kernel)}</figcaption>
              <svg
                viewBox={`-0.1 -0.1 ${kernel + 0.2} ${kernel + 0.2}`}
                role="img"
                aria-label={text.convolution.weights(kernel)}
                style={{ maxWidth: `${(kernel / across) * 100}%` }}
              >
                {[...weights].map((weight, place) => (
                  <rect
                    key={place}
                    {...square(Math.floor(place / kernel), place % kernel)}
                    class="cell"
                    fill={css(colour(scales.signed, weight * kernel, -1, 1))}
                  />
                ))}
              </svg>
            </figure>
          )}
        </div>
      </div>
      <div class="player">
        <button type="button" class="button" onClick={() => setPlaying(!playing)}>
          {playing ? text.convolution.pause : text.convolution.play}
        </button>
        <button type="button" class="button" onClick={() => step(-1)}>
          {text.convolution.back}
        </button>
        <button type="button" class="button" onClick={() => step(1)}>
          {text.convolution.forward}
        </button>
        <label class="position">
          <span>{text.convolution.position(at + 1, count)}</span>
          <input
            type="range"
            min="1"
            max={count}
            value={at + 1}
            onInput={(event) => {
              setPlaying(false);
              setAt(Number(event.currentTarget.value) - 1);
            }}
          />
        </label>
      </div>
      <div class="stop">
        <h3>{made}</h3>
        <span class="unseen" role="status">
          {playing ? "" : `${made}: ${decimal(values[at] ?? 0)}`}
        </span>
        <Problem problem={problem} />
        {explanation && (
          <Step
            one={{ layer, unit: { channel: 0, row, column }, explanation }}
            theme={theme}
            cell={Math.round(PATCH / kernel)}
          />
        )}
      </div>
    </section>
  );
}
