/** What the JSON API says: names for the types that are made from its own description. */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Session = Readonly<Schemas["SessionAnswer"]> & {
  readonly account_id?: number;
  readonly name?: string;
  readonly roles?: readonly string[];
  /** What one may do somewhere, as `create site`. */
  readonly rights?: readonly string[];
  /** Who looks through this person's eyes. */
  readonly impersonator?: string | null;
  /** Whether a reason must be told before customers are shown. */
  readonly lacks_reason?: boolean;
};
/** A page of a list. */
export interface Listed<Row> {
  readonly rows: readonly Row[];
  readonly total: number;
  readonly cursor: string | null;
}
export type Site = Readonly<Schemas["SiteAnswer"]>;
export type Latest = Readonly<Schemas["LatestValue"]>;
export type ApiPoint = Readonly<Schemas["PointAnswer"]>;
export type PointChange = Schemas["PointPatch"];
export type Cells = readonly (number | null)[];
export type SeriesPoint = Readonly<Schemas["PointSeries"]>;
export type SeriesAnswer = Readonly<Schemas["SeriesAnswer"]>;
export type ReadingsAnswer = Readonly<Schemas["ReadingsAnswer"]>;
export type SpanAnswer = Readonly<Schemas["SpanAnswer"]>;
export type Key = Readonly<Schemas["KeyAnswer"]>;
/** With its secret, which is told once. */
export type NewKey = Key & { readonly secret: string };
export type LiveReadings = Readonly<Schemas["LiveReadings"]>;
