import { describe, expect, it } from "vitest";

import { Zone } from "../time/zone";
import { aligned, held, named, panned, scaled, snapped } from "./zoom";

const BERLIN = new Zone("Europe/Berlin");

describe("zooming", () => {
  it("keeps what is under the cursor where it is", () => {
    const span = scaled({ from: 0, to: 100_000 }, 2, 75_000);
    expect(span).toEqual({ from: 37_500, to: 87_500 });
  });

  it("stops at five seconds", () => {
    expect(scaled({ from: 0, to: 6_000 }, 10, 3_000)).toEqual({ from: 500, to: 5_500 });
  });

  it("comes back from out to in", () => {
    const span = { from: 1_000_000, to: 9_000_000 };
    expect(scaled(scaled(span, 0.5, 4_000_000), 2, 4_000_000)).toEqual(span);
  });

  it("moves by a share of itself and stays inside", () => {
    expect(panned({ from: 0, to: 100 }, 0.5)).toEqual({ from: 50, to: 150 });
    expect(held({ from: 50, to: 150 }, { from: 0, to: 120 })).toEqual({ from: 20, to: 120 });
    expect(held({ from: -500, to: 500 }, { from: 0, to: 120 })).toEqual({ from: 0, to: 120 });
  });

  it("names a window after the period it fits in", () => {
    const at = (day: number, hour = 0) => BERLIN.instant(2026, 11, day, hour);
    expect(named({ from: at(17, 10), to: at(17, 12) }, BERLIN, 1)).toMatchObject({ period: "day", day: { day: 17 }, window: { from: at(17, 10) } });
    expect(named({ from: at(17), to: at(20) }, BERLIN, 1)).toMatchObject({ period: "week", day: { day: 16 } });
    expect(named({ from: at(1), to: BERLIN.instant(2026, 12, 1) }, BERLIN, 1)).toEqual({
      period: "month", day: { year: 2026, month: 11, day: 1 }, window: null,
    });
    const years = { from: BERLIN.instant(2019, 3, 1), to: BERLIN.instant(2026, 2, 1) };
    expect(named(years, BERLIN, 1)).toMatchObject({ period: "decade", day: { year: 2017 }, window: years });
  });

  it("moves out to whole days, months and hours of the local calendar", () => {
    const at = (month: number, day: number, hour = 0, minute = 0) => BERLIN.instant(2026, month, day, hour, minute);
    expect(aligned({ from: at(3, 28, 5), to: at(3, 30, 1) }, "day", BERLIN)).toEqual({ from: at(3, 28), to: at(3, 31) });
    expect(aligned({ from: at(3, 28), to: at(3, 31) }, "day", BERLIN)).toEqual({ from: at(3, 28), to: at(3, 31) });
    expect(aligned({ from: at(2, 3), to: at(5, 2) }, "month", BERLIN)).toEqual({ from: at(2, 1), to: at(6, 1) });
    expect(aligned({ from: at(3, 29, 1, 20), to: at(3, 29, 4, 1) }, "1h", BERLIN)).toEqual({ from: at(3, 29, 1), to: at(3, 29, 5) });
  });

  it("takes whole bars", () => {
    expect(snapped({ from: 15, to: 31 }, [0, 10, 20, 30, 40])).toEqual({ from: 10, to: 40 });
    expect(snapped({ from: 10, to: 30 }, [0, 10, 20, 30, 40])).toEqual({ from: 10, to: 30 });
  });
});
