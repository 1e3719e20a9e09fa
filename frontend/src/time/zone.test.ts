import { describe, expect, it } from "vitest";

import { Zone, zoneOf } from "./zone";

const HOUR = 3_600_000;

describe("local time", () => {
  it("knows days of 23 and 25 hours", () => {
    const zone = new Zone("Europe/Berlin");
    expect(zone.instant(2026, 3, 30) - zone.instant(2026, 3, 29)).toBe(23 * HOUR);
    expect(zone.instant(2026, 10, 26) - zone.instant(2026, 10, 25)).toBe(25 * HOUR);
  });

  it("takes the first of two like clock times, and the jump for one that is skipped", () => {
    const zone = new Zone("Europe/Berlin");
    expect(zone.instant(2026, 10, 25, 2, 30)).toBe(Date.UTC(2026, 9, 25, 0, 30));
    expect(zone.local(zone.instant(2026, 3, 29, 2, 30))).toMatchObject({ hour: 3, minute: 30 });
  });

  it("begins a day whose midnight does not exist with its first instant", () => {
    const zone = new Zone("America/Santiago");
    const start = zone.instant(2026, 9, 6);
    expect(zone.local(start)).toMatchObject({ day: 6, hour: 1 });
    expect(zone.local(start - 1)).toMatchObject({ day: 5, hour: 23 });
  });

  it.each(["Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham", "America/St_Johns", "UTC"])("goes there and back in %s", (name) => {
    const zone = new Zone(name);
    for (let ms = Date.UTC(2026, 0, 1); ms < Date.UTC(2027, 0, 1); ms += 7 * HOUR + 1000) {
      const { year, month, day, hour, minute, second } = zone.local(ms);
      const back = zone.instant(year, month, day, hour, minute, second);
      expect(Math.abs(back - ms) === 0 || Math.abs(back - ms) === HOUR || Math.abs(back - ms) === HOUR / 2).toBe(true);
    }
  });

  it("gives UTC for a zone it does not know", () => {
    expect(zoneOf("Nowhere/Atlantis").name).toBe("UTC");
  });
});
