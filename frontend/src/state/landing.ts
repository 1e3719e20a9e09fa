/** The first page of each role, and the way back to where somebody wanted to go: only to paths of our own. */

import { session } from "./session";
import { knowSites, siteTotal } from "./sites";

const FIRST: Readonly<Record<string, string>> = {
  administrator: "/organizations",
  owner: "/sites",
  partner: "/sites",
  auditor: "/sites",
  operator: "/sites",
};

/** Where this person begins: directories for those who look after many, Home for those who live there. */
export async function landing(): Promise<string> {
  const role = session.value?.role ?? "";
  if (role === "owner") {
    await knowSites();
    if (siteTotal.value === 0) return "/start";
    if (siteTotal.value === 1) return "/home";
  }
  return FIRST[role] ?? "/home";
}

/** The path if it is one of ours, else the first page: no address of another place, whatever a browser makes of it. */
export function ownPath(wanted: unknown, origin: string): string {
  const text = typeof wanted === "string" ? wanted : "";
  if (!text.startsWith("/") || /[\\\u0000-\u001f]/.test(text)) return "/";
  try {
    const url = new URL(text, origin);
    return url.origin === new URL(origin).origin && !text.startsWith("//") && !url.pathname.startsWith("//")
      ? url.pathname + url.search + url.hash
      : "/";
  } catch {
    return "/";
  }
}
