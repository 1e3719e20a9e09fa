/** What the JSON API says, as types. */

export interface Session {
  readonly email: string;
  readonly role: string;
  /** What the demo tells about itself; null on a real installation. */
  readonly demo: Demo | null;
}

export interface Demo {
  readonly note: string;
  /** The key in the line to paste. */
  readonly write_key: string;
  readonly read_key: string;
}

export interface Site {
  readonly id: number;
  readonly name: string;
  readonly zone: string;
  /** What is replayed here; empty where everything is measured now. */
  readonly note: string;
}

export interface Latest {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** In the base unit. */
  readonly value: number;
}

export interface Suggestion {
  readonly name?: string;
  readonly quantity?: string;
  readonly kind?: string;
  readonly direction?: string;
  readonly unit?: string;
  readonly role?: string;
}

export interface ApiPoint {
  readonly id: number;
  readonly site_id: number;
  readonly name: string;
  readonly address: string;
  readonly quantity: string;
  readonly kind: string;
  readonly direction: string;
  readonly unit: string;
  readonly base_unit: string;
  /** In which its amounts are given; null when its values make none. */
  readonly amount_unit: string | null;
  readonly role: string;
  readonly adopted: boolean;
  readonly suggestion: Suggestion | null;
  readonly latest: Latest | null;
}

export interface PointChange {
  name?: string;
  quantity?: string;
  kind?: string;
  direction?: string;
  unit?: string;
  role?: string;
  resolution?: number;
  width?: number;
}

export type Cells = readonly (number | null)[];

export interface SeriesPoint {
  readonly id: number;
  readonly unit: string;
  readonly count: Cells;
  readonly min: Cells;
  readonly mean: Cells;
  readonly max: Cells;
  /** Empty where the point's values make no amount. */
  readonly amount: Cells;
  readonly amount_unit: string | null;
  readonly amount_total: number | null;
  readonly readings: number;
}

export interface SeriesAnswer {
  readonly zone: string;
  /** `15min`, `day`, `month`. */
  readonly step: string;
  /** Usual length of a bucket. */
  readonly step_s: number;
  /** Milliseconds, start of each bucket. */
  readonly start: readonly number[];
  /** Where the last bucket ends. */
  readonly end: number;
  readonly points: readonly SeriesPoint[];
}

export interface ReadingsAnswer {
  readonly point: number;
  readonly unit: string;
  readonly time: readonly number[];
  readonly value: readonly number[];
  readonly quality: readonly number[];
  /** The limit cut the answer. */
  readonly more: boolean;
}

export interface SpanAnswer {
  readonly first: number | null;
  readonly last: number | null;
}

export interface Key {
  readonly id: number;
  readonly prefix: string;
  readonly name: string;
  readonly scope: "write" | "read";
  readonly site_id: number;
  /** Milliseconds since 1970. */
  readonly created: number;
}

export interface NewKey extends Key {
  /** Told once, never again. */
  readonly secret: string;
}

export interface LiveReadings {
  readonly time: readonly number[];
  readonly point: readonly number[];
  readonly value: readonly number[];
}
