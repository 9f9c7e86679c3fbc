interface Props {
  id: string;
  label: string;
  value: number;
  min: number;
  max: number;
  disabled?: boolean;
  onValue: (value: number) => void;
}

/** A slider and a text field for an integer. */
export function Slider({ id, label, value, min, max, disabled = false, onValue }: Props) {
  function set(text: string) {
    const value = Math.round(Number(text));
    if (text !== "" && Number.isFinite(value)) onValue(Math.max(min, Math.min(max, value)));
  }
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        value={value}
        disabled={disabled}
        onInput={(event) => set(event.currentTarget.value)}
      />
      <input
        type="number"
        min={min}
        max={max}
        value={value}
        disabled={disabled}
        aria-label={label}
        onChange={(event) => set(event.currentTarget.value)}
      />
    </div>
  );
}
