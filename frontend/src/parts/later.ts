/** A component whose script comes once it is shown: for dialogs and for what stands far down a page. */

import type { Component } from "vue";
import { defineComponent, h, shallowRef } from "vue";

/** Takes the same properties as the component itself. */
export function later<Loaded extends Component>(load: () => Promise<{ readonly default: Loaded }>): Loaded {
  const loaded = shallowRef<Component | null>(null);
  const standin = defineComponent({
    inheritAttrs: false,
    setup(_, { attrs, slots }) {
      void load().then((told) => (loaded.value = told.default));
      return () => (loaded.value ? h(loaded.value, attrs, slots) : null);
    },
  });
  return standin as unknown as Loaded;
}
