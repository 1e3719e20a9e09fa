/** Conditions of a list: what can be asked of which attribute, in the server's own words, and how each is said; pure. */

import { fixed } from "../format/number";
import type { PlainKey } from "../messages";
import { t } from "../messages";
import type { Attribute } from "./attributes";
import { DEVICE, PERSON, SITE } from "./attributes";
import { cellText, stateWord } from "./cell";
import { PEOPLE_ROLES, roleName } from "./people";

export const TESTS = ["in", "prefix", "contains", "from", "to", "empty"] as const;
export type Test = (typeof TESTS)[number];

/** One of the values, or the one bound; of `empty` the value is `yes` or `no`. */
export interface Condition {
  readonly name: string;
  readonly test: Test;
  readonly values: readonly string[];
}

/** What can be asked for, and under which heading it is offered. */
export interface Asked {
  readonly name: string;
  readonly attribute: Attribute;
  readonly group: PlainKey | "";
}

export type Filterables = readonly Asked[];

const ROLE: Attribute = { key: "role", word: "attr.roles", kind: "choice", choices: PEOPLE_ROLES };
export const BRANCH: Attribute = { key: "organization", word: "attr.organization", kind: "whole" };

function of(attributes: readonly Attribute[], prefix = "", group: PlainKey | "" = ""): Asked[] {
  return attributes.filter((one) => !one.unfiltered).map((attribute) => ({ name: prefix + attribute.key, attribute, group }));
}
const BRANCHES: Asked = { name: "organization", attribute: BRANCH, group: "" };

/** Own attributes first, then those of what stands beside. */
export const FILTERABLE: Readonly<Record<string, Filterables>> = {
  sites: [...of(SITE), BRANCHES, ...of(DEVICE, "device.", "nav.devices"), ...of(PERSON, "person.", "nav.people")],
  devices: [...of(DEVICE), BRANCHES, ...of(SITE, "site.", "nav.site")],
  people: [...of(PERSON), { name: "role", attribute: ROLE, group: "" }, BRANCHES],
  organizations: [],
};

/** What the server answers about an attribute of that list. */
export function testsOf(attribute: Attribute): readonly Test[] {
  if (attribute === BRANCH || attribute.kind === "yes" || attribute.kind === "choice") return ["in"];
  return ["text", "long", "zone"].includes(attribute.kind) ? ["in", "contains", "prefix", "empty"] : ["from", "to", "in", "empty"];
}

/** Whether several values can be asked for at once; of a person's role and organization one. */
export function takesMany(noun: string, condition: Pick<Condition, "test" | "name">): boolean {
  return condition.test === "in" && !(noun === "people" && ["role", "organization"].includes(condition.name));
}

/** `city`, `city.prefix`, `tag.roof`, `tag.roof.empty`, as it stands in an address. */
export function keyOf({ name, test }: Condition): string {
  return test === "in" ? name : `${name}.${test}`;
}

/** The condition that an address asks for; null where it is none of this list's. */
export function conditionOf(key: string, values: readonly string[], noun: string): Condition | null {
  const bare = key.startsWith("tag.") ? key.slice(4) : key;
  const test = TESTS.find((one) => one !== "in" && bare.endsWith(`.${one}`)) ?? "in";
  const name = test === "in" ? key : key.slice(0, -test.length - 1);
  const found = FILTERABLE[noun]?.find((one) => one.name === name);
  const tagged = name.startsWith("tag.") && name.length > 4 && noun !== "organizations";
  if (!found && !tagged) return null;
  if (found && !testsOf(found.attribute).includes(test)) return null;
  if (tagged && (test === "from" || test === "to")) return null;
  const given = values.filter(Boolean);
  return given.length ? { name, test, values: takesMany(noun, { test, name }) ? [...new Set(given)] : given.slice(0, 1) } : null;
}

/** With another condition: it joins one of the same name and test where several values may be asked for, else replaces it. */
export function withCondition(noun: string, all: readonly Condition[], added: Condition): readonly Condition[] {
  const same = all.find((one) => keyOf(one) === keyOf(added));
  if (!same) return [...all, added];
  const values = takesMany(noun, added) ? [...new Set([...same.values, ...added.values])] : added.values;
  return all.map((one) => (one === same ? { ...added, values } : one));
}

/** What a person typed, as the server takes it: numbers in base units; empty where it is no number. */
export function valueOf(attribute: Attribute, typed: string): string {
  const words = typed.trim();
  if (!["number", "whole", "share", "bytes"].includes(attribute.kind) || !words) return words;
  const number = Number(words.replace(",", "."));
  return Number.isFinite(number) ? String(Number((number * (attribute.scale ?? 1)).toPrecision(12))) : "";
}

function shown(attribute: Attribute | undefined, value: string, locale: string): string {
  if (!attribute) return value;
  if (attribute.key === "role") return roleName(value);
  if (attribute.kind === "choice") return stateWord(value);
  if (attribute.kind === "yes") return t(value === "true" ? "list.yes" : "list.no");
  if (attribute.kind === "date" || attribute.kind === "instant") return cellText({ ...attribute, kind: "date" }, { value, [attribute.key]: value }, 0, locale);
  if (!["number", "whole", "share", "bytes"].includes(attribute.kind) || !Number.isFinite(Number(value))) return value;
  return attribute.unit || attribute.kind === "share" || attribute.kind === "bytes" ? cellText(attribute, { [attribute.key]: Number(value) }, 0, locale) : fixed(Number(value), 0, locale);
}

/** `names`: what numbers of organizations are called. */
export function saidOf(condition: Condition, noun: string, locale: string, names: ReadonlyMap<string, string>): string {
  const found = FILTERABLE[noun]?.find((one) => one.name === condition.name);
  const tag = condition.name.startsWith("tag.") ? `${t("list.tag")} ${condition.name.slice(4)}` : "";
  const group = found?.group ? `${t(found.group)}, ` : "";
  const what = tag || (found ? group + t(found.attribute.word) : condition.name);
  const values = condition.values.map((one) => (found?.attribute === BRANCH ? (names.get(one) ?? `#${one}`) : shown(found?.attribute, one, locale)));
  const value = new Intl.ListFormat(locale, { type: "disjunction" }).format(values);
  if (condition.test === "empty") return t(condition.values[0] === "yes" ? "filter.says.empty" : "filter.says.filled", { what });
  return condition.test === "in" ? t("filter.says.in", { what, value }) : t(`filter.says.${condition.test}`, { what, value });
}
