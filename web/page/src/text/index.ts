import { readPreference, writePreference } from "../state/preference";
import { Store, useStore } from "../state/store";
import type { Text } from "./dictionary";
import { en } from "./en";
import { zh } from "./zh";

export type { Text };

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

const TEXTS: Record<Language, Text> = { en, zh };
const TAGS: Record<Language, string> = { en: "en", zh: "zh-Hans" };

/** Returns the language that the visitor chose, or else the language of the browser. */
function preferred(): Language {
  const chosen = readPreference("language") ?? navigator.language;
  return chosen.startsWith("zh") ? "zh" : "en";
}

const language = new Store<Language>(preferred());

function apply(): void {
  document.documentElement.lang = TAGS[language.value];
}

apply();

export function useLanguage(): Language {
  return useStore(language);
}

/** Returns the texts in the current language. */
export function useText(): Text {
  return TEXTS[useLanguage()];
}

/** Changes the language and stores the choice. */
export function switchLanguage(to: Language): void {
  language.value = to;
  writePreference("language", to);
  apply();
}
