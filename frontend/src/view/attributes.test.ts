import { describe, expect, it } from "vitest";

import { changesOf, DEVICE, ORGANIZATION, PERSON, SITE, typedOf } from "./attributes";

describe("attributes", () => {
  it("have one name each", () => {
    for (const all of [SITE, DEVICE, PERSON, ORGANIZATION]) expect(new Set(all.map((one) => one.key)).size).toBe(all.length);
  });

  it("are typed in kW and kept in W", () => {
    const power = SITE.filter((one) => one.key === "subscribed_power_w");
    expect(typedOf(power[0]!, { subscribed_power_w: 9000 })).toBe(9);
    expect(changesOf(power, { subscribed_power_w: 9000 }, { subscribed_power_w: "6,6" })).toEqual({ subscribed_power_w: 6600 });
    expect(changesOf(power, { subscribed_power_w: 9000 }, { subscribed_power_w: 9 })).toEqual({});
    expect(changesOf(power, { subscribed_power_w: 9000 }, { subscribed_power_w: "" })).toEqual({ subscribed_power_w: null });
  });

  it("of which only the changed are sent", () => {
    const before = { name: "A", city: "", state: "active", note: "" };
    expect(changesOf(SITE, before, { name: " A ", city: "Lyon", state: "active" })).toEqual({ city: "Lyon" });
  });
});
