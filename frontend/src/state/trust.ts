/** Where a program gets the certificate of a server that vouches for itself. */

import type { Ref } from "vue";
import { onMounted, ref } from "vue";

import { askTrust } from "../api/account";

/** Empty until it is known, and where everybody trusts the certificate anyway. */
export function useTrust(): Ref<string> {
  const trust = ref("");
  onMounted(async () => {
    trust.value = (await askTrust().catch(() => null))?.address ?? "";
  });
  return trust;
}
