/** The address of a list and what it asks the server: search, filters, order, place in it, columns; pure. */

import type { Attribute } from "./attributes";
import type { Condition } from "./filters";
import { conditionOf, keyOf } from "./filters";

export interface Listing {
  readonly q: string;
  readonly filters: readonly Condition[];
  readonly sort: string;
  readonly order: "asc" | "desc";
  readonly cursor: string;
  /** Null: the columns that the list shows by itself. */
  readonly columns: readonly string[] | null;
}

const OWN: readonly string[] = ["q", "sort", "order", "cursor", "cols"];
export type Query = Record<string, string | string[]>;
type Address = Readonly<Record<string, unknown>>;

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? (value as readonly unknown[]) : [value]).filter((text) => typeof text === "string");
}

function one(value: unknown): string {
  return texts(value)[0] ?? "";
}

/** What cannot be read falls back, part by part; unknown attributes are left out. */
export function parseListing(address: Address, noun: string, attributes: readonly Attribute[]): Listing {
  const known = new Map(attributes.map((attribute) => [attribute.key, attribute]));
  const filters: Condition[] = [];
  for (const [key, value] of Object.entries(address)) {
    const condition = OWN.includes(key) ? null : conditionOf(key, texts(value), noun);
    if (condition) filters.push(condition);
  }
  const sort = one(address.sort);
  const columns = one(address.cols).split(",").filter((key) => known.has(key));
  return {
    q: one(address.q),
    filters,
    sort: known.has(sort) && !known.get(sort)?.unsorted ? sort : "name",
    order: one(address.order) === "desc" ? "desc" : "asc",
    cursor: one(address.cursor),
    columns: columns.length > 0 ? columns : null,
  };
}

function filtersOf(listing: Listing): Query {
  return Object.fromEntries(listing.filters.map((one) => [keyOf(one), one.values.length === 1 ? String(one.values[0]) : [...one.values]]));
}

/** The shortest address that gives this list again. */
export function listingAddress(listing: Listing): Query {
  const address: Query = { ...filtersOf(listing), ...(listing.q ? { q: listing.q } : {}), sort: listing.sort, order: listing.order };
  if (address.sort === "name") delete address.sort;
  if (address.order === "asc") delete address.order;
  if (listing.cursor) address.cursor = listing.cursor;
  if (listing.columns) address.cols = listing.columns.join(",");
  return address;
}

/** What the server is asked, without the place in the list: also what an export holds. */
export function asked(listing: Listing): Query {
  return { ...filtersOf(listing), ...(listing.q ? { q: listing.q } : {}), sort: listing.sort, order: listing.order };
}

export function shownColumns(listing: Listing, attributes: readonly Attribute[]): readonly Attribute[] {
  return attributes.filter((one) => (listing.columns ? one.key === "name" || listing.columns.includes(one.key) : one.shown));
}
