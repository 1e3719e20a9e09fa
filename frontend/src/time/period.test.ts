import { describe, expect, it } from "vitest";

import { counterpart, endOfDay, firstDay, isoDay, parseDay, plusMonths, shifted, shiftOf, spanOf, weekStartOf } from "./period";
import { Zone } from "./zone";

const BERLIN = new Zone("Europe/Berlin");
const day = (text: string) => parseDay(text) as NonNullable<ReturnType<typeof parseDay>>;

describe("periods", () => {
  it.each([
    ["day", "2026-11-18", "2026-11-18", "2026-11-19"],
    ["week", "2026-11-18", "2026-11-16", "2026-11-23"],
    ["month", "2026-11-18", "2026-11-01", "2026-12-01"],
    ["year", "2026-11-18", "2026-01-01", "2027-01-01"],
    ["decade", "2026-11-18", "2017-01-01", "2027-01-01"],
  ] as const)("a %s holding %s goes from %s to %s", (period, within, from, to) => {
    const span = spanOf(period, day(within), BERLIN, 1);
    expect(span).toEqual({ from: BERLIN.instant(...parts(from)), to: BERLIN.instant(...parts(to)) });
  });

  it("lets weeks begin as the language says", () => {
    expect(isoDay(firstDay("week", day("2026-11-18"), 7))).toBe("2026-11-15");
    expect([weekStartOf("de-DE"), weekStartOf("en-US")]).toEqual([1, 7]);
  });

  it("holds the end of a shorter month", () => {
    expect(isoDay(plusMonths(day("2026-01-31"), 1))).toBe("2026-02-28");
    expect(isoDay(shifted("year", day("2028-02-29"), 1))).toBe("2029-02-28");
  });

  it("ends a day with its last moment on the clock of the place", () => {
    expect(endOfDay(day("2026-11-30"), new Zone("America/New_York"))).toBe(Date.UTC(2026, 11, 1, 5));
    expect(endOfDay(day("2026-03-29"), BERLIN) - BERLIN.instant(2026, 3, 29)).toBe(23 * 3_600_000);
  });

  it.each(["2026-02-30", "2026-13-01", "16.11.2026", "", "2026-1-1"])("does not take %s for a day", (text) => {
    expect(parseDay(text)).toBeNull();
  });
});

describe("the compared period", () => {
  it("keeps weekdays when a week is compared with a year before", () => {
    expect(shiftOf("week", day("2026-11-16"), "year", false)).toEqual({ days: 364, months: 0 });
  });

  it("puts the first of a month on the first of the month before", () => {
    const shift = shiftOf("month", day("2026-03-01"), "previous", false);
    expect(counterpart(BERLIN.instant(2026, 3, 1), shift, BERLIN)).toBe(BERLIN.instant(2026, 2, 1));
    expect(counterpart(BERLIN.instant(2026, 3, 28, 9, 15), shift, BERLIN)).toBe(BERLIN.instant(2026, 2, 28, 9, 15));
  });

  it("counts months for bars of months", () => {
    const shift = shiftOf("year", day("2026-01-01"), "previous", true);
    expect(counterpart(BERLIN.instant(2026, 7, 1), shift, BERLIN)).toBe(BERLIN.instant(2025, 7, 1));
  });

  it("keeps the local clock across the change to summer time", () => {
    const shift = shiftOf("day", day("2026-03-30"), "previous", false);
    expect(counterpart(BERLIN.instant(2026, 3, 30, 12), shift, BERLIN)).toBe(BERLIN.instant(2026, 3, 29, 12));
  });
});

function parts(text: string): [number, number, number] {
  const { year, month, day: date } = day(text);
  return [year, month, date];
}
