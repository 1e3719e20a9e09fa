/** The places that each role has in the bar, its own first; what does not fit on a phone stands under More. */

import type { PlainKey } from "../messages";
import type { IconName } from "../parts/icons";

export interface Spot {
  readonly path: string;
  readonly icon: IconName;
  readonly word: PlainKey;
  /** What stands in the bar of a phone, where the word is too long for it. */
  readonly short?: PlainKey;
}

const SPOTS = {
  h: { path: "/home", icon: "home", word: "nav.home" },
  y: { path: "/history", icon: "history", word: "nav.history" },
  p: { path: "/points", icon: "points", word: "nav.points" },
  s: { path: "/sites", icon: "sites", word: "nav.sites" },
  d: { path: "/devices", icon: "devices", word: "nav.devices" },
  q: { path: "/sources", icon: "download", word: "nav.sources" },
  t: { path: "/templates", icon: "table", word: "nav.templates" },
  w: { path: "/people", icon: "people", word: "nav.people" },
  o: { path: "/organizations", icon: "tree", word: "nav.organizations", short: "nav.organizations.short" },
  x: { path: "/settings", icon: "settings", word: "nav.settings" },
} as const satisfies Readonly<Record<string, Spot>>;

/** One letter a place, in the order of the bar. */
const ORDER: Readonly<Record<string, string>> = {
  administrator: "oswdqtx",
  owner: "shydpqwotx",
  partner: "sdwyhqtpox",
  auditor: "shydpqwotx",
  operator: "swdyhpqx",
  manager: "hypsdqwx",
  user: "hypsdqx",
  guest: "hypx",
  nobody: "x",
};

/** On a phone five fit; of more, the fifth is More. */
export const FIT = 5;

export function spotsOf(role: string): readonly Spot[] {
  return [...(ORDER[role] ?? "hypx")].map((letter) => SPOTS[letter as keyof typeof SPOTS]);
}
