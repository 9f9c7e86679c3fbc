import type { Theme } from "../colour/scale";
import { readPreference, writePreference } from "../state/preference";
import { Store, useStore } from "../state/store";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Returns the theme that the visitor chose, or else the theme of the system. */
function preferred(): Theme {
  const chosen = readPreference("theme");
  if (chosen === "light" || chosen === "dark") return chosen;
  return dark.matches ? "dark" : "light";
}

const theme = new Store<Theme>(preferred());

function apply(): void {
  document.documentElement.dataset.theme = theme.value;
}

apply();
dark.addEventListener("change", () => {
  theme.value = preferred();
  apply();
});

export function useTheme(): Theme {
  return useStore(theme);
}

/** Switches between the light and the dark theme. */
export function switchTheme(): void {
  theme.value = theme.value === "light" ? "dark" : "light";
  writePreference("theme", theme.value);
  apply();
}
