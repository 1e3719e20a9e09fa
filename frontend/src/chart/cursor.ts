/** The one cursor that every chart on the page shares: an instant, and who put it there. */

import { shallowRef } from "vue";

export interface Cursor {
  readonly ms: number;
  /** Stays when the pointer leaves: tapped, clicked or moved by keys. */
  readonly pinned: boolean;
  /** Moved by keys: to be spoken. */
  readonly spoken: boolean;
}

export const cursor = shallowRef<Cursor | null>(null);
