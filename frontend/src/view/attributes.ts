/** The attributes of sites, devices, people and organizations: how each is named, shown, filtered and asked for. */

import type { PlainKey } from "../messages";

export type Kind = "text" | "long" | "number" | "whole" | "date" | "instant" | "yes" | "zone" | "choice" | "share" | "bytes" | "roles";

export interface Attribute {
  readonly key: string;
  readonly word: PlainKey;
  readonly kind: Kind;
  /** Base unit of a number; what people type is `scale` times larger, and called `typed`. */
  readonly unit?: string;
  readonly typed?: string;
  readonly scale?: number;
  readonly choices?: readonly string[];
  /** Shown in the list unless a person chose otherwise. */
  readonly shown?: true;
  /** The server does not find things by it. */
  readonly unfiltered?: true;
  /** Found out by the server, not told by people. */
  readonly found?: true;
  /** Cannot be used for sorting. */
  readonly unsorted?: true;
  readonly required?: true;
}

export type Row = Readonly<Record<string, unknown>> & { readonly id: number };

const text = (key: string, word: PlainKey, more: Partial<Attribute> = {}): Attribute => ({ key, word, kind: "text", ...more });

export const SITE: readonly Attribute[] = [
  text("name", "attr.name", { shown: true, required: true }),
  text("customer_number", "attr.customer_number", { shown: true }),
  text("city", "attr.city", { shown: true }),
  text("organization", "attr.organization", { shown: true, found: true, unfiltered: true }),
  { key: "state", word: "attr.state", kind: "choice", choices: ["active", "disabled"], shown: true },
  { key: "id", word: "attr.id", kind: "whole", found: true },
  text("address", "attr.address"),
  text("postal_code", "attr.postal_code"),
  text("country", "attr.country"),
  { key: "zone", word: "attr.zone", kind: "zone", required: true },
  { key: "latitude", word: "attr.latitude", kind: "number" },
  { key: "longitude", word: "attr.longitude", kind: "number" },
  text("delivery_point", "attr.delivery_point"),
  text("subscription_number", "attr.subscription_number"),
  { key: "subscribed_power_w", word: "attr.subscribed_power", kind: "number", unit: "W", typed: "kW", scale: 1000 },
  { key: "hourly_maximum_wh", word: "attr.hourly_maximum", kind: "number", unit: "Wh", typed: "kWh", scale: 1000 },
  text("dwelling", "attr.dwelling"),
  { key: "occupants", word: "attr.occupants", kind: "whole" },
  { key: "area_m2", word: "attr.area", kind: "number", unit: "m²" },
  text("heating", "attr.heating"),
  text("eligibility_phase", "attr.eligibility_phase"),
  text("business_case", "attr.business_case"),
  text("cluster", "attr.cluster"),
  { key: "peak_power_w", word: "attr.peak_power", kind: "number", unit: "Wp", typed: "kWp", scale: 1000 },
  { key: "tilt_deg", word: "attr.tilt", kind: "number", unit: "°" },
  { key: "azimuth_deg", word: "attr.azimuth", kind: "number", unit: "°" },
  text("inverter", "attr.inverter"),
  { key: "installed_on", word: "attr.installed_on", kind: "date" },
  { key: "devices", word: "nav.devices", kind: "whole", found: true, unsorted: true, unfiltered: true },
  text("connection_state", "attr.connection_state", { found: true }),
  { key: "last_seen", word: "attr.last_seen", kind: "instant", found: true },
  { key: "completeness", word: "attr.completeness", kind: "share", typed: "%", scale: 0.01, found: true },
  { key: "created", word: "attr.created", kind: "instant", found: true },
  { key: "note", word: "attr.note", kind: "long", unsorted: true },
];

export const DEVICE: readonly Attribute[] = [
  text("name", "attr.name", { shown: true, required: true }),
  text("site", "attr.site", { shown: true, found: true, unsorted: true, unfiltered: true }),
  text("serial_number", "attr.serial_number", { shown: true }),
  text("connection_state", "attr.connection_state", { found: true }),
  { key: "last_seen", word: "attr.last_seen", kind: "instant", found: true, shown: true },
  { key: "completeness", word: "attr.completeness", kind: "share", typed: "%", scale: 0.01, found: true, shown: true },
  { key: "posting", word: "attr.posting", kind: "yes", found: true },
  text("template", "attr.template", { found: true }),
  { key: "revision", word: "attr.revision", kind: "whole", found: true },
  text("hardware_version", "attr.hardware_version"),
  text("firmware", "attr.firmware"),
  text("connection", "attr.connection"),
  text("pairing_state", "attr.pairing_state"),
  { key: "mobile_bytes", word: "attr.mobile", kind: "bytes", typed: "MB", scale: 1_000_000, found: true },
  { key: "mobile_budget_bytes", word: "attr.mobile_budget", kind: "bytes", typed: "MB", scale: 1_000_000 },
  text("prefix", "attr.prefix", { found: true }),
  { key: "id", word: "attr.id", kind: "whole", found: true },
  { key: "created", word: "attr.created", kind: "instant", found: true },
  { key: "note", word: "attr.note", kind: "long", unsorted: true },
];

export const PERSON: readonly Attribute[] = [
  text("name", "attr.name", { shown: true }),
  text("email", "attr.email", { shown: true, found: true }),
  { key: "roles", word: "attr.roles", kind: "roles", shown: true, found: true, unsorted: true, unfiltered: true },
  { key: "state", word: "attr.state", kind: "choice", choices: ["invited", "active", "disabled"], shown: true, found: true },
  { key: "last_seen", word: "attr.last_seen", kind: "instant", found: true, shown: true },
  text("organization", "attr.organization", { found: true, unsorted: true, unfiltered: true }),
  text("phone", "attr.phone"),
  text("mobile_phone", "attr.mobile_phone"),
  text("phone_type", "attr.phone_type"),
  text("operating_system", "attr.operating_system"),
  text("application_version", "attr.application_version"),
  text("privacy_state", "attr.privacy_state"),
  text("locale", "attr.locale"),
  { key: "verified", word: "attr.verified", kind: "instant", found: true },
  { key: "id", word: "attr.id", kind: "whole", found: true },
  { key: "created", word: "attr.created", kind: "instant", found: true },
];

/** Comes as a tree, parents before children. */
export const ORGANIZATION: readonly Attribute[] = [
  text("name", "attr.name", { shown: true, required: true, unsorted: true }),
  { key: "kind", word: "attr.kind", kind: "choice", choices: ["fleet", "partner", "utility", "company", "home"], shown: true, unsorted: true },
  { key: "sites", word: "nav.sites", kind: "whole", found: true, shown: true, unsorted: true },
  { key: "people", word: "nav.people", kind: "whole", found: true, shown: true, unsorted: true },
  { key: "registration", word: "attr.registration", kind: "yes", unsorted: true },
  { key: "disabled", word: "attr.disabled", kind: "instant", found: true, shown: true, unsorted: true },
  { key: "id", word: "attr.id", kind: "whole", found: true, unsorted: true },
  { key: "created", word: "attr.created", kind: "instant", found: true, shown: true, unsorted: true },
  { key: "note", word: "attr.note", kind: "long", unsorted: true },
];

/** What a form sends: the fields that differ, in base units; null where a number or date was emptied. */
export function changesOf(attributes: readonly Attribute[], before: Readonly<Record<string, unknown>>, typed: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  for (const attribute of attributes) {
    if (!(attribute.key in typed)) continue;
    const value = stored(attribute, typed[attribute.key]);
    if (value !== (before[attribute.key] ?? empty(attribute))) changes[attribute.key] = value;
  }
  return changes;
}

const EMPTY_TEXT: readonly Kind[] = ["text", "long", "zone", "choice"];

function empty(attribute: Attribute): unknown {
  return EMPTY_TEXT.includes(attribute.kind) ? "" : attribute.kind === "yes" ? false : null;
}

function stored(attribute: Attribute, typed: unknown): unknown {
  if (EMPTY_TEXT.includes(attribute.kind)) return String(typed ?? "").trim();
  if (attribute.kind === "yes") return Boolean(typed);
  if (typed === "" || typed === null || typed === undefined) return null;
  if (attribute.kind === "date") return typed;
  const number = typeof typed === "number" ? typed : Number(String(typed).replace(",", "."));
  return Number((number * (attribute.scale ?? 1)).toPrecision(12));
}

/** What a field shows at first: numbers in the unit that people type. */
export function typedOf(attribute: Attribute, row: Readonly<Record<string, unknown>>): string | number | boolean {
  const value = row[attribute.key] ?? empty(attribute);
  if (attribute.kind === "yes") return Boolean(value);
  if (value === null) return "";
  return typeof value === "number" ? Number((value / (attribute.scale ?? 1)).toPrecision(12)) : String(value);
}
