import { decimal } from "./numbers";

/** A number, with all its digits for programs and a few for readers. */
export function Figure({ value, digits, name }: { value: number; digits?: number; name?: string }) {
  return (
    <data value={String(value)} class={name ? `figure ${name}` : "figure"}>
      {decimal(value, digits)}
    </data>
  );
}
