import { useText } from "../text";
import { percent } from "../text/numbers";

interface Props {
  probabilities: Float32Array | undefined;
  /** The digit whose arithmetic is shown. */
  selected: number | undefined;
  onDigit: (digit: number, hold: boolean) => void;
}

const DIGITS = Array.from({ length: 10 }, (_, digit) => digit);

/** The most probable digit. */
export function best(probabilities: Float32Array): number {
  return probabilities.indexOf(Math.max(...probabilities));
}

/** How probable each digit is. */
export function Answer({ probabilities, selected, onDigit }: Props) {
  const text = useText();
  const winner = probabilities ? best(probabilities) : -1;
  return (
    <section class="answer" aria-label={text.digit.answer}>
      <p class="winner">{winner >= 0 ? winner : "\u2013"}</p>
      <ol class="bars">
        {DIGITS.map((digit) => {
          const share = probabilities?.[digit] ?? 0;
          return (
            <li key={digit} class={digit === winner ? "best" : ""}>
              <button
                type="button"
                aria-pressed={digit === selected}
                aria-label={text.digit.probability(digit, percent(share))}
                onClick={() => onDigit(digit, true)}
              >
                <span class="name">{digit}</span>
                <span class="bar">
                  <span style={{ transform: `scaleX(${share})` }} />
                </span>
                <data value={String(share)}>{percent(share)}</data>
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
