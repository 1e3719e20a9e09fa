import { describe, expect, it } from "vitest";

import { DEVICE, SITE } from "./attributes";
import { valueOf, withCondition } from "./filters";
import { asked, listingAddress, parseListing, shownColumns } from "./listing";

const parsed = (address: Record<string, unknown>) => parseListing(address, "sites", SITE);

describe("the address of a list", () => {
  it("holds all of it and nothing is lost", () => {
    const address = {
      q: "lyon", city: ["Lyon", "Paris"], "name.prefix": "Ho", "area_m2.from": "50", "installed_on.to": "2024-05-01", "cluster.empty": "no",
      "tag.roof": "flat", "tag.roof.a.prefix": "f", "device.firmware": "2.1", "person.email": "a@b.example", organization: "4",
      sort: "city", order: "desc", cursor: "abc", cols: "city,zone",
    };
    expect(listingAddress(parsed(address))).toEqual(address);
  });

  it("is empty for the list as it comes", () => {
    expect(listingAddress(parsed({}))).toEqual({});
  });

  it("leaves out what the list does not know", () => {
    const listing = parsed({ password: "x", sort: "note", cols: "evil", city: ["Lyon", "Lyon", null], "name.from": "x", "city.like": "x", "tag.": "x", devices: "3" });
    expect(listing).toMatchObject({ sort: "name", columns: null, filters: [{ name: "city", test: "in", values: ["Lyon"] }] });
    expect(asked(listing)).toEqual({ city: "Lyon", sort: "name", order: "asc" });
  });

  it("keeps the name among chosen columns", () => {
    expect(shownColumns(parsed({ cols: "zone" }), SITE).map((one) => one.key)).toEqual(["name", "zone"]);
  });
});

describe("conditions", () => {
  const city = { name: "city", test: "in", values: ["Lyon"] } as const;

  it("of the same attribute are one of several values, but only one bound", () => {
    expect(withCondition("sites", [city], { ...city, values: ["Paris"] })).toEqual([{ ...city, values: ["Lyon", "Paris"] }]);
    const least = { name: "area_m2", test: "from", values: ["50"] } as const;
    expect(withCondition("sites", [city, least], { ...least, values: ["60"] })).toEqual([city, { ...least, values: ["60"] }]);
    expect(withCondition("people", [{ name: "state", test: "in", values: ["active"] }], { name: "state", test: "in", values: ["disabled"] })).toHaveLength(1);
  });

  it("are typed as people do and asked in base units", () => {
    const power = SITE.find((one) => one.key === "subscribed_power_w")!;
    expect(valueOf(power, " 6,6 ")).toBe("6600");
    expect(valueOf(power, "much")).toBe("");
    expect(valueOf(DEVICE.find((one) => one.key === "completeness")!, "95")).toBe("0.95");
  });
});
