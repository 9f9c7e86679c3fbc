import { useText } from "../text";
import { SAMPLES } from "./samples";

/** Buttons that show a sample digit. */
export function SampleDigits(props: { inks: Uint8Array[]; onSample: (ink: Uint8Array) => void }) {
  const text = useText();
  return (
    <fieldset class="samples">
      <legend>{text.digit.samples}</legend>
      {props.inks.map((ink, digit) => (
        <button
          key={digit}
          type="button"
          aria-label={text.digit.sample(digit)}
          onClick={() => props.onSample(ink)}
        >
          <span
            style={{
              backgroundImage: `url(${SAMPLES})`,
              backgroundPosition: `${(digit / (props.inks.length - 1)) * 100}% 0`,
              backgroundSize: `${props.inks.length * 100}% 100%`,
            }}
          />
        </button>
      ))}
    </fieldset>
  );
}
