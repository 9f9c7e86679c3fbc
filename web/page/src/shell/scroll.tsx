import type { ComponentChildren } from "preact";

interface Props {
  label: string;
  class?: string;
  children: ComponentChildren;
}

/** A region that scrolls by itself, by keyboard too. */
export function Scroll({ label, children, ...of }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: only what has the focus scrolls by keyboard.
    <section class={of.class ?? "scroll"} tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
