/** The theme a person chose on this device, and a signal for canvases when colours change. */

import { ref } from "vue";

import { forgetInk } from "../chart/ink";

export type Theme = "auto" | "light" | "dark";
const STORED = "wattstead.theme";

function stored(): Theme {
  const text = localStorage.getItem(STORED);
  return text === "light" || text === "dark" ? text : "auto";
}

export const theme = ref<Theme>(stored());
/** Grows by one whenever colours have changed. */
export const colours = ref(0);

function changed(): void {
  forgetInk();
  colours.value++;
}

export function chooseTheme(wanted: Theme): void {
  theme.value = wanted;
  if (wanted === "auto") {
    localStorage.removeItem(STORED);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(STORED, wanted);
    document.documentElement.dataset.theme = wanted;
  }
  changed();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);

/** True when things should stand still. */
export const stillness = ref(matchMedia("(prefers-reduced-motion: reduce)").matches);
matchMedia("(prefers-reduced-motion: reduce)").addEventListener("change", (event) => (stillness.value = event.matches));
