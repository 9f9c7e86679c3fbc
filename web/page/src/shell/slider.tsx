interface Props {
  id: string;
  label: string;
  value: number;
  least: number;
  most: number;
  disabled?: boolean;
  onValue: (value: number) => void;
}

/** A whole number, by a slider or typed. */
export function Slider({ id, label, value, least, most, disabled = false, onValue }: Props) {
  function set(text: string) {
    const value = Math.round(Number(text));
    if (text !== "" && Number.isFinite(value)) onValue(Math.max(least, Math.min(most, value)));
  }
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="range"
        min={least}
        max={most}
        value={value}
        disabled={disabled}
        onInput={(event) => set(event.currentTarget.value)}
      />
      <input
        type="number"
        min={least}
        max={most}
        value={value}
        disabled={disabled}
        aria-label={label}
        onChange={(event) => set(event.currentTarget.value)}
      />
    </div>
  );
}
