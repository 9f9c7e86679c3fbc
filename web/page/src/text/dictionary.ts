import type { en } from "./en";

/** The keys of an English dictionary, each with a text or a function of the same arguments. */
type Translation<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...args: infer A) => string
      ? (...args: A) => string
      : Translation<T[K]>;
};

/** The texts of the page in one language. */
export type Text = Translation<typeof en>;
