import type { ComponentChildren } from "preact";

interface Props {
  label: string;
  class?: string;
  children: ComponentChildren;
}

/** A scrollable region that can also be scrolled by keyboard. */
export function Scroll({ label, children, ...rest }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys scroll only a focused element.
    <section class={rest.class ?? "scroll"} tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
