/** Words for the fields that changes name, and for their values: in the trail, and before a rollover. */

import type { MessageKey, PlainKey } from "../messages";
import { locale, t } from "../messages";
import type { Attribute } from "./attributes";
import { DEVICE, ORGANIZATION, PERSON, SITE } from "./attributes";
import { cellText, stateWord, STATES } from "./cell";
import { PEOPLE_ROLES, roleName } from "./people";

const ATTRIBUTES: ReadonlyMap<string, Attribute> = new Map([...ORGANIZATION, ...PERSON, ...DEVICE, ...SITE].map((one) => [one.key, one]));
const OTHERS = [
  "invitation", "space_id", "kind", "quantity", "direction", "unit", "role", "resolution", "width", "max_rate", "max_gap_s", "scope", "expires", "photo", "parent_id",
  "organization_id", "site_id", "enabled", "tags", "membership",
] as const;
type Other = (typeof OTHERS)[number];

/** The word for a field; one that a newer server knows is shown as it is. */
export function fieldWord(field: string): string {
  if (field.startsWith("tag.")) return `${t("list.tag")} ${field.slice(4)}`;
  const attribute = field === "kind" ? undefined : ATTRIBUTES.get(field);
  if (attribute) return t(attribute.word);
  return (OTHERS as readonly string[]).includes(field) ? t(`field.${field as Other}` satisfies MessageKey) : field;
}

const DEEDS = [
  "create", "change", "delete", "see", "invite", "accept", "impersonate", "rotate", "revoke", "move", "move away", "grant", "end grant",
  "hand over", "roll over", "enable posting", "disable posting", "enable", "disable", "reason", "give", "take", "suspend", "resume", "add", "correct", "look", "join", "new code",
] as const;

/** What was done, in a word. */
export function deedWord(action: string): string {
  return (DEEDS as readonly string[]).includes(action) ? t(`did.${action as (typeof DEEDS)[number]}` satisfies MessageKey) : action;
}

const RESOURCES: Readonly<Record<string, PlainKey>> = {
  organization: "nav.organization", person: "nav.person", site: "nav.site", space: "field.space", device: "nav.device", point: "field.point",
  reading: "field.reading", template: "attr.template", key: "field.key", share: "field.share", self: "nav.person", source: "field.source", edge: "field.edge",
};

export function resourceWord(resource: string): string {
  const word = RESOURCES[resource];
  return word ? t(word) : resource;
}

/** A value of a field in words, with its unit. */
export function fieldValue(field: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return t(value ? "list.yes" : "list.no");
  const attribute = ATTRIBUTES.get(field);
  if (attribute && attribute.kind !== "roles" && typeof value !== "object") return cellText({ ...attribute, kind: attribute.kind === "instant" ? "date" : attribute.kind }, { [field]: value }, Date.now(), locale.value);
  if (typeof value === "object") return Object.entries(value).map(([key, one]) => `${key} = ${String(one)}`).join(", ") || "–";
  const text = String(value);
  if ((PEOPLE_ROLES as readonly string[]).includes(text)) return roleName(text);
  if ((STATES as readonly string[]).includes(text)) return stateWord(text);
  return /^\d{4}-\d{2}-\d{2}T/.test(text) ? new Intl.DateTimeFormat(locale.value, { dateStyle: "medium", timeStyle: "short" }).format(Date.parse(text)) : text;
}
