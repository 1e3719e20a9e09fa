/** What the server refused, by the code of its problem or else by its status, in one's own language; loaded with the first refusal. */

import { bring, locale, t } from ".";
import type { PlainKey } from ".";

interface Told {
  detail?: string;
  readonly [name: string]: unknown;
}

/** Puts the sentence in place of the server's; that stands in English, or where the words cannot be fetched. */
export async function reword(told: Told, status = 0): Promise<void> {
  const shown = Object.entries((told["figures"] ?? {}) as Readonly<Record<string, string | number>>);
  const parts = shown.some(([name]) => name === "role") ? (["refusals", "who"] as const) : (["refusals"] as const);
  await Promise.all(parts.map(bring)).catch(() => undefined);
  const figures = shown.map(([name, value]) => [name, typeof value === "number" ? value.toLocaleString(locale.value) : fieldWord(name, value)] as const);
  told.detail = worded(`refusal.${String(told["code"])}`, Object.fromEntries(figures)) ?? byStatus(told, status) ?? told.detail ?? "";
}

/** The server speaks English; to others what it has no code for is said by its kind, and where it is wrong. */
function byStatus(told: Told, status: number): string | null {
  if (locale.value.startsWith("en")) return null;
  const place = (told["places"] as readonly { place: string }[] | undefined)?.[0]?.place ?? "";
  if (status === 400 && !place) return null;
  return worded(`refusal.other.${status >= 500 ? 500 : status}`, { place: place ? fieldWord("name", place) : "" });
}

/** What a field is called on the pages; its own name where they have no word for it. */
function fieldWord(figure: string, value: string): string {
  if (figure === "setting") return worded(`set.${value}`) ?? value.slice(value.indexOf(".") + 1);
  if (figure === "role") return worded(`who.${value}`) ?? value;
  return figure === "name" || figure === "noun" ? worded(`attr.${value.replace(/_(m2|wh?|deg|bytes)$/, "")}`) ?? value : value;
}

/** A message by a key that the server named; null when there is none here. */
function worded(key: string, figures: Readonly<Record<string, string | number>> = {}): string | null {
  const text = (t as (key: PlainKey, figures: unknown) => string)(key as PlainKey, figures);
  return text === key ? null : text;
}
