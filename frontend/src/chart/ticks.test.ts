import { describe, expect, it } from "vitest";

import { Zone } from "../time/zone";
import { barBox, BARS } from "./bars";
import { tickPlan, timeTicks } from "./calendar";

const BERLIN = new Zone("Europe/Berlin");
const at = (year: number, month: number, day: number, hour = 0) => BERLIN.instant(year, month, day, hour);

describe("time ticks", () => {
  it("stand on the local clock, also on the day of 23 hours", () => {
    const plan = tickPlan({ from: at(2026, 3, 29), to: at(2026, 3, 30) }, 700, BERLIN);
    const hours = plan.at.map((ms) => BERLIN.local(ms).hour);
    expect(hours).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 0].filter((h, i, all) => all.indexOf(h) === i || i === all.length - 1));
  });

  it("are months and years where the span is long", () => {
    expect(tickPlan({ from: at(2026, 1, 1), to: at(2027, 1, 1) }, 1000, BERLIN)).toMatchObject({ unit: "month" });
    const years = tickPlan({ from: at(2017, 1, 1), to: at(2027, 1, 1) }, 1000, BERLIN);
    expect(years.unit).toBe("year");
    expect(years.at.every((ms) => BERLIN.local(ms).month === 1)).toBe(true);
  });

  it("leave room for their words, whatever the span", () => {
    for (let length = 5_000; length < 4e11; length *= 2.3) {
      const from = at(2020, 2, 3, 4);
      const ticks = timeTicks({ from, to: from + length }, 900, BERLIN, "en-GB");
      const apart = ticks.slice(1).map((tick, i) => tick.at - (ticks[i]?.at ?? 0));
      expect(Math.min(...apart, Infinity) / length * 900).toBeGreaterThan(60);
      expect(ticks.length).toBeLessThan(16);
    }
  });

  it("show the day at midnight", () => {
    const labels = timeTicks({ from: at(2026, 11, 16), to: at(2026, 11, 18) }, 900, BERLIN, "en-GB").map((tick) => tick.label);
    expect(labels).toContain("Tue 17");
  });
});

describe("bars", () => {
  it("have their words in the middle", () => {
    const starts = [at(2026, 11, 16), at(2026, 11, 17)];
    const ends = [at(2026, 11, 17), at(2026, 11, 18)];
    expect(BARS.ticks(starts, ends, 600, BERLIN, "en-GB")).toEqual([
      { at: at(2026, 11, 16, 12), label: "Mon 16" },
      { at: at(2026, 11, 17, 12), label: "Tue 17" },
    ]);
  });

  it("stand side by side inside their bucket, none wider than allowed", () => {
    const boxes = [0, 1, 2].map((slot) => barBox(100, 200, slot, 3, 40));
    expect(boxes[0]?.left).toBeGreaterThan(100);
    expect((boxes[2]?.left ?? 0) + (boxes[2]?.width ?? 0)).toBeLessThan(200);
    expect((boxes[1]?.left ?? 0) - (boxes[0]?.left ?? 0)).toBeGreaterThan(boxes[0]?.width ?? 0);
    expect(barBox(0, 1000, 0, 1, 40)).toEqual({ left: 480, width: 40 });
  });
});
