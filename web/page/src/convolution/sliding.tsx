import { useEffect, useState } from "preact/hooks";
import { colour, css, maxAbs, SCALES } from "../colour/scale";
import { Step } from "../explanation/step";
import { Problem } from "../shell/problem";
import { useTheme } from "../shell/theme";
import { useText } from "../text";
import { decimal } from "../text/numbers";
import { taps } from "./example";
import { type LayerOutput, useOutputExplanation } from "./use-sliding-window";

/** Longest duration of the animation over all positions, in milliseconds. */
const MAX_DURATION = 14000;
/** Shortest and longest duration of one position, in milliseconds. */
const STEP_DURATION = { min: 70, max: 450 };

/** Width of the patch in the arithmetic below the window, in pixels. */
const PATCH = 84;
/** Darkness of full ink; below 1 so that the window stays visible on it. */
const INK = 0.8;

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** The window that slides over the padded input, and the output that it fills. */
export function Sliding({ output: { single, layer, values } }: { output: LayerOutput }) {
  const text = useText();
  const theme = useTheme();
  const size = layer.shape[1];
  const count = size * size;
  const [position, setPosition] = useState(0);
  const [playing, setPlaying] = useState(!reducedMotion.matches);
  const [row, column] = [Math.floor(position / size), position % size];
  const { explanation, problem } = useOutputExplanation(single, row, column);

  useEffect(() => {
    if (!playing) return;
    const { min, max } = STEP_DURATION;
    const duration = Math.max(min, Math.min(max, MAX_DURATION / count));
    const timer = setInterval(() => setPosition((position) => (position + 1) % count), duration);
    return () => clearInterval(timer);
  }, [playing, count]);

  const { operation, settings, picture, weights } = single;
  const { input, padding, kernel, dilation } = settings;
  const convolution = operation === "convolution";
  const read = taps(settings, size, position);
  const first = read[0];
  const scales = SCALES[theme];
  const max = maxAbs(values, 0.1);
  const ink = (value: number) =>
    css(
      convolution ? colour(scales.signed, value, -max, max) : colour(scales.ink, value * INK, 0, 1),
    );
  const heading = text.convolution.outputValue(row + 1, column + 1);
  const paddedSize = input + 2 * padding;
  const extent = dilation * (kernel - 1) + 1;
  const square = (row: number, column: number) => ({ x: column, y: row, width: 1, height: 1 });

  function step(by: number) {
    setPlaying(false);
    setPosition((position + by + count) % count);
  }

  return (
    <section class="sliding" aria-label={text.convolution.window}>
      <div class="squares">
        <figure>
          <figcaption>{text.convolution.padded(paddedSize)}</figcaption>
          <svg
            viewBox={`-0.1 -0.1 ${paddedSize + 0.2} ${paddedSize + 0.2}`}
            role="img"
            aria-label={text.convolution.padded(paddedSize)}
          >
            {Array.from({ length: paddedSize * paddedSize }, (_, index) => {
              const [row, column] = [Math.floor(index / paddedSize), index % paddedSize];
              const [y, x] = [row - padding, column - padding];
              const inside = y >= 0 && x >= 0 && y < input && x < input;
              const value = picture[y * input + x] ?? 0;
              return (
                <rect
                  key={index}
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
              style={{ maxWidth: `${(size / paddedSize) * 100}%` }}
            >
              {[...values].map((value, index) => (
                <rect
                  key={index}
                  {...square(Math.floor(index / size), index % size)}
                  class={index <= position ? "cell" : "cell empty"}
                  {...(index <= position ? { fill: ink(value) } : {})}
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
                style={{ maxWidth: `${(kernel / paddedSize) * 100}%` }}
              >
                {[...weights].map((weight, index) => (
                  <rect
                    key={index}
                    {...square(Math.floor(index / kernel), index % kernel)}
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
          <span>{text.convolution.position(position + 1, count)}</span>
          <input
            type="range"
            min="1"
            max={count}
            value={position + 1}
            onInput={(event) => {
              setPlaying(false);
              setPosition(Number(event.currentTarget.value) - 1);
            }}
          />
        </label>
      </div>
      <div class="output-value">
        <h3>{heading}</h3>
        <span class="unseen" role="status">
          {playing ? "" : `${heading}: ${decimal(values[position] ?? 0)}`}
        </span>
        <Problem problem={problem} />
        {explanation && (
          <Step
            explained={{ layer, unit: { channel: 0, row, column }, explanation }}
            theme={theme}
            cell={Math.round(PATCH / kernel)}
          />
        )}
      </div>
    </section>
  );
}
