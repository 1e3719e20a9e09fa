/** One thing of the registry on its page: asked for, with its version, and again when the address changes. */

import type { Ref } from "vue";
import { ref, shallowRef, watch } from "vue";

import { Refused } from "../api/client";
import { askThing } from "../api/registry";
import { expired } from "../state/session";
import type { Row } from "../view/attributes";

export function useThing(path: Ref<string>) {
  const thing = shallowRef<Row | null>(null);
  const version = ref("");
  const trouble = shallowRef<unknown>(null);
  /** Not there, or not this person's to see: the two look alike. */
  const lost = ref(false);

  async function load(): Promise<void> {
    const wanted = path.value;
    trouble.value = null;
    try {
      const told = await askThing(wanted);
      if (wanted === path.value) keep(told.thing, told.version);
    } catch (error) {
      if (expired(error) || wanted !== path.value) return;
      if (error instanceof Refused && error.status === 404) lost.value = true;
      else trouble.value = error;
    }
  }

  function keep(now: Row, told: string): void {
    thing.value = now;
    version.value = told;
  }

  watch(path, () => {
    thing.value = null;
    lost.value = false;
    void load();
  }, { immediate: true });
  return { thing, version, trouble, lost, load, keep };
}
