import { remember, remembered } from "../shell/remember";
import { Store, useStore } from "../shell/store";
import { en } from "./en";
import { zh } from "./zh";

/** The keys of the English dictionary, each with text or a function of the same arguments. */
type Same<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...of: infer A) => string
      ? (...of: A) => string
      : Same<T[K]>;
};

export type Text = Same<typeof en>;

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

const TEXTS: Record<Language, Text> = { en, zh };
const TAGS: Record<Language, string> = { en: "en", zh: "zh-Hans" };

function preferred(): Language {
  const chosen = remembered("language") ?? navigator.language;
  return chosen.startsWith("zh") ? "zh" : "en";
}

const language = new Store<Language>(preferred());

function show(): void {
  document.documentElement.lang = TAGS[language.value];
}

show();

export function useLanguage(): Language {
  return useStore(language);
}

export function useText(): Text {
  return TEXTS[useLanguage()];
}

export function switchLanguage(to: Language): void {
  language.value = to;
  remember("language", to);
  show();
}
