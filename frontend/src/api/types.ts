/** What the JSON API says: names for the types that are made from its own description. */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Session = Readonly<Schemas["SessionAnswer"]>;
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
