import type { Theme } from "../colour/scale";
import { remember, remembered } from "./remember";
import { Store, useStore } from "./store";

const dark = matchMedia("(prefers-color-scheme: dark)");

function preferred(): Theme {
  const chosen = remembered("theme");
  if (chosen === "light" || chosen === "dark") return chosen;
  return dark.matches ? "dark" : "light";
}

const theme = new Store<Theme>(preferred());

function show(): void {
  document.documentElement.dataset.theme = theme.value;
}

show();
dark.addEventListener("change", () => {
  theme.value = preferred();
  show();
});

export function useTheme(): Theme {
  return useStore(theme);
}

export function switchTheme(): void {
  theme.value = theme.value === "light" ? "dark" : "light";
  remember("theme", theme.value);
  show();
}
