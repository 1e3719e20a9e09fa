/** What is drawn as rows and as CSV: times with their offset, bare numbers, one column for each figure; pure. */

import type { Picture } from "../chart/picture";
import { isValue } from "../chart/picture";
import type { Span } from "../time/period";
import type { Zone } from "../time/zone";

export interface Column {
  readonly name: string;
  readonly cells: readonly (number | null)[];
}

export interface Rows {
  readonly time: readonly number[];
  readonly columns: readonly Column[];
  readonly unit: string;
}

/** `2026-11-17T08:30:00+01:00` in the site's zone. */
export function isoWithOffset(ms: number, zone: Zone): string {
  const offset = zone.offset(ms);
  const clock = new Date(ms + offset).toISOString();
  const minutes = Math.abs(Math.round(offset / 60_000));
  const pad = (n: number) => String(n).padStart(2, "0");
  const zoneText = `${offset < 0 ? "-" : "+"}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
  return `${clock.slice(0, 19)}${clock.slice(20, 23) === "000" ? "" : clock.slice(19, 23)}${zoneText}`;
}

/** Rows inside the span that have at least one value; for lines `starts` are the starts of their buckets. */
export function rowsOf(picture: Picture, span: Span, starts: ArrayLike<number>, words: { min: string; max: string; compare: (name: string, compare: "previous" | "year") => string }): Rows {
  const kept: number[] = [];
  for (let i = 0; i < picture.x.length; i++) {
    const end = picture.ends ? (picture.ends[i] as number) : (picture.x[i] as number);
    const inside = end >= span.from && (starts[i] as number) <= span.to;
    if (inside && picture.traces.some((trace) => isValue(trace.mean[i]))) kept.push(i);
  }
  const pick = (column: ArrayLike<number | null>) => kept.map((i) => (isValue(column[i]) ? column[i] : null));
  const columns = picture.traces.flatMap((trace): Column[] => {
    const name = trace.compare ? words.compare(trace.name, trace.compare) : trace.name;
    const own = { name, cells: pick(trace.mean) };
    if (!trace.low || !trace.high) return [own];
    return [own, { name: `${name} ${words.min}`, cells: pick(trace.low) }, { name: `${name} ${words.max}`, cells: pick(trace.high) }];
  });
  return { time: kept.map((i) => starts[i] as number), columns, unit: picture.unit };
}

/** As the exports of lists are: with a quote before what a spreadsheet would reckon, signs of full width included. */
function cell(text: string): string {
  const shown = /^'*(\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])/.test(text) ? `'${text}` : text;
  return shown !== text || /[",\n\r]/.test(text) ? `"${shown.replaceAll('"', '""')}"` : text;
}

/** CSV with a head line; units stand in the head, times carry their offset. */
export function csvOf(rows: Rows, zone: Zone): string {
  const unit = rows.unit ? ` [${rows.unit}]` : "";
  const head = ["time", ...rows.columns.map((column) => cell(`${column.name}${unit}`))].join(",");
  const lines = rows.time.map((ms, i) =>
    [isoWithOffset(ms, zone), ...rows.columns.map((column) => (column.cells[i] === null ? "" : String(column.cells[i])))].join(","),
  );
  return `${[head, ...lines].join("\r\n")}\r\n`;
}
