import { useText } from "../text";
import { percent } from "../text/numbers";

interface Props {
  probabilities: Float32Array | undefined;
  /** The digit whose logit is pinned. */
  selected: number | undefined;
  onDigit: (digit: number) => void;
}

const DIGITS = Array.from({ length: 10 }, (_, digit) => digit);

/** Returns the most probable digit. */
export function mostProbable(probabilities: Float32Array): number {
  return probabilities.indexOf(Math.max(...probabilities));
}

/** The most probable digit, and the probability of each digit. */
export function Answer({ probabilities, selected, onDigit }: Props) {
  const text = useText();
  const winner = probabilities ? mostProbable(probabilities) : -1;
  return (
    <section class="answer" aria-label={text.digit.answer}>
      <p class="winner">{winner >= 0 ? winner : "\u2013"}</p>
      <ol class="bars">
        {DIGITS.map((digit) => {
          const probability = probabilities?.[digit] ?? 0;
          return (
            <li key={digit} class={digit === winner ? "best" : ""}>
              <button
                type="button"
                aria-pressed={digit === selected}
                aria-label={text.digit.probability(digit, percent(probability))}
                onClick={() => onDigit(digit)}
              >
                <span class="name">{digit}</span>
                <span class="bar">
                  <span style={{ transform: `scaleX(${probability})` }} />
                </span>
                <data value={String(probability)}>{percent(probability)}</data>
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
