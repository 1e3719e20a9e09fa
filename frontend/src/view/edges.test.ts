import { expect, test } from "vitest";

import { joinLines, lasting, lineOf, sized, standing } from "./edges";

const edge = { joined: "2026-12-01T00:00:00Z", enabled: true, silent: false, sight: { behind_s: 3 } };

test("an edge stands as it does", () => {
  expect(standing({ ...edge, joined: null })).toBe("unjoined");
  expect(standing({ ...edge, enabled: false, silent: true })).toBe("off");
  expect(standing({ ...edge, silent: true })).toBe("silent");
  expect(standing({ ...edge, sight: { behind_s: 3600 } })).toBe("behind");
  expect(standing(edge)).toBe("running");
});

test("lengths and sizes are in one unit", () => {
  expect([40, 300, 10_800, 400_000].map((seconds) => lasting(seconds, "en"))).toEqual(["40 seconds", "5 minutes", "3 hours", "5 days"]);
  expect([1200, 2_500_000, 3e9].map((bytes) => sized(bytes, "en").replace("\u202f", " "))).toEqual(["1.2 kB", "2.5 MB", "3 GB"]);
});

test("the lines to join keep the prefix of the server", () => {
  expect(joinLines("A-B", "https://h/energy/")).toContain("wattstead edge join https://h/energy A-B");
  expect(joinLines("A-B", "https://h:8086/")).toContain("wattstead edge join https://h:8086 A-B");
});

test("a new line averages over a minute", () => {
  expect(lineOf()).toMatchObject({ treatment: "average", every_s: 60 });
  expect(lineOf("drop").every_s).toBe(0);
});
