import { decimal } from "./numbers";

/** A number, rounded for readers; the element's `value` attribute has full precision. */
export function Figure({ value, digits, name }: { value: number; digits?: number; name?: string }) {
  return (
    <data value={String(value)} class={name ? `figure ${name}` : "figure"}>
      {decimal(value, digits)}
    </data>
  );
}
