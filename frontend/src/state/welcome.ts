/** The picture for a site without points, loaded only where there is such a site. */

import type { Component } from "vue";
import { shallowRef, watch } from "vue";

import { points } from "./sites";

/** Null until it is here. */
export function useWelcome() {
  const welcome = shallowRef<Component | null>(null);
  watch(
    () => points.value?.length === 0,
    async (empty) => {
      if (empty) welcome.value = (await import("../pages/home/Welcome.vue")).default;
    },
    { immediate: true },
  );
  return welcome;
}
