/** One attribute of one thing as text: numbers with units, instants by age, states as words. */

import { age } from "../format/age";
import { fixed, quantity } from "../format/number";
import type { MessageKey } from "../messages";
import { t } from "../messages";
import type { Attribute, Row } from "./attributes";
import { roleName } from "./people";

export const STATES = ["active", "disabled", "invited", "fleet", "partner", "utility", "company", "home"] as const;
type Known = `state.${(typeof STATES)[number]}`;

export function stateWord(state: string): string {
  return (STATES as readonly string[]).includes(state) ? t(`state.${state}` as Known satisfies MessageKey) : state;
}

const LINKS = ["ethernet", "wifi", "mobile", "radio", "lorawan", "rs485", "mbus", "online", "offline", "paired", "unpaired"] as const;
const LINKED: readonly string[] = ["connection", "connection_state", "pairing_state"];

/** How a device is connected, in words; what people call it themselves stays as it is. */
export function linkWord(link: string): string {
  return (LINKS as readonly string[]).includes(link) ? t(`link.${link as (typeof LINKS)[number]}`) : link;
}

/** `12.4 MB` in steps of a thousand. */
export function bytes(value: number, locale: string): string {
  return quantity(value, "B", locale);
}

export function cellText(attribute: Attribute, row: Row | Readonly<Record<string, unknown>>, nowMs: number, locale: string): string {
  const value = row[attribute.key];
  if (value === null || value === undefined || value === "") return "–";
  switch (attribute.kind) {
    case "yes":
      return value ? t("list.yes") : t("list.no");
    case "choice":
      return stateWord(String(value));
    case "roles":
      return (value as readonly unknown[]).map((role) => roleName(typeof role === "string" ? role : String((role as Row).role))).join(", ") || "–";
    case "share":
      return `${fixed(Number(value) * 100, Number(value) < 0.0995 ? 1 : 0, locale)}\u202f%`;
    case "bytes":
      return bytes(Number(value), locale);
    case "instant":
      return age(Date.parse(String(value)), nowMs, locale, Intl.DateTimeFormat().resolvedOptions().timeZone);
    case "date":
      return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" }).format(Date.parse(String(value)));
    case "number":
      if (attribute.unit) return attribute.unit === "°" ? `${fixed(Number(value), 0, locale)}°` : quantity(Number(value), attribute.unit, locale);
      return attribute.key === "latitude" || attribute.key === "longitude" ? fixed(Number(value), 4, locale) : String(value);
    default:
      return LINKED.includes(attribute.key) ? linkWord(String(value)) : String(value);
  }
}
