/** The address of a list and what it asks the server: search, filters, order, place in it, columns; pure. */

import type { Attribute } from "./attributes";

export interface Listing {
  readonly q: string;
  readonly filters: Readonly<Record<string, string>>;
  readonly sort: string;
  readonly order: "asc" | "desc";
  readonly cursor: string;
  /** Null: the columns that the list shows by itself. */
  readonly columns: readonly string[] | null;
}

type Address = Readonly<Record<string, unknown>>;

function one(value: unknown): string {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "string" ? first : "";
}

/** What cannot be read falls back, part by part; unknown attributes are left out. */
export function parseListing(address: Address, attributes: readonly Attribute[]): Listing {
  const known = new Map(attributes.map((attribute) => [attribute.key, attribute]));
  const filters: Record<string, string> = {};
  for (const [key, value] of Object.entries(address)) if ((known.get(key)?.filter || key === "tag") && one(value)) filters[key] = one(value);
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

/** The shortest address that gives this list again. */
export function listingAddress(listing: Listing): Record<string, string> {
  const address: Record<string, string> = { ...listing.filters, ...(listing.q ? { q: listing.q } : {}), sort: listing.sort, order: listing.order };
  if (address.sort === "name") delete address.sort;
  if (address.order === "asc") delete address.order;
  if (listing.cursor) address.cursor = listing.cursor;
  if (listing.columns) address.cols = listing.columns.join(",");
  return address;
}

/** What the server is asked, without the place in the list: also what an export holds. */
export function asked(listing: Listing): Record<string, string> {
  const { tag, ...filters } = listing.filters;
  const [key, value] = tag?.split("=", 2) ?? [];
  return { ...filters, ...(key && value ? { [`tag.${key}`]: value } : {}), ...(listing.q ? { q: listing.q } : {}), sort: listing.sort, order: listing.order };
}

export function shownColumns(listing: Listing, attributes: readonly Attribute[]): readonly Attribute[] {
  return attributes.filter((one) => (listing.columns ? one.key === "name" || listing.columns.includes(one.key) : one.shown));
}
