/** Whether the server answers, since when it has not, and how far this clock is from the server's. */

import { ref } from "vue";

/** True while there is no connection. */
export const offline = ref(typeof navigator !== "undefined" && navigator.onLine === false);
/** When the server last answered, by this machine's clock; 0 before the first time. */
export const lastAnswerMs = ref(0);

let skewMs = 0;

export function connectionGood(): void {
  lastAnswerMs.value = Date.now();
  offline.value = false;
}

export function connectionLost(): void {
  offline.value = true;
}

/** The `Date` of an answer has whole seconds, so only a difference that matters is taken over. */
export function clockSeen(header: string | null): void {
  const told = header ? Date.parse(header) : NaN;
  if (!Number.isFinite(told)) return;
  const difference = told + 500 - Date.now();
  skewMs = Math.abs(difference) > 2500 ? difference : 0;
}

/** The present by the server's clock. */
export function nowMs(): number {
  return Date.now() + skewMs;
}

if (typeof window !== "undefined") {
  window.addEventListener("offline", connectionLost);
}
