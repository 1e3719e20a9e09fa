/** One second hand for every age on the page; stands still while the page is hidden. */

import { onScopeDispose, ref } from "vue";

import { nowMs } from "./connection";

const now = ref(nowMs());
let users = 0;
let timer = 0;

function tick(): void {
  if (document.visibilityState === "visible") now.value = nowMs();
}

/** The present in milliseconds, moving each second while somebody uses it. */
export function useClock(): Readonly<typeof now> {
  if (users++ === 0) {
    now.value = nowMs();
    timer = window.setInterval(tick, 1000);
  }
  onScopeDispose(() => {
    if (--users === 0) window.clearInterval(timer);
  });
  return now;
}
