import { describe, expect, it } from "vitest";

import { SITE } from "./attributes";
import { asked, listingAddress, parseListing, shownColumns } from "./listing";

describe("the address of a list", () => {
  it("holds all of it and nothing is lost", () => {
    const address = { q: "lyon", city: "Lyon", sort: "city", order: "desc", cursor: "abc", cols: "city,zone" };
    expect(listingAddress(parseListing(address, SITE))).toEqual(address);
  });

  it("is empty for the list as it comes", () => {
    expect(listingAddress(parseListing({}, SITE))).toEqual({});
  });

  it("leaves out what the list does not know", () => {
    const listing = parseListing({ password: "x", sort: "note", cols: "evil", city: ["Lyon", "Paris"], name: "x" }, SITE);
    expect(listing).toMatchObject({ sort: "name", columns: null, filters: { city: "Lyon" } });
    expect(asked(listing)).toEqual({ city: "Lyon", sort: "name", order: "asc" });
  });

  it("asks for a tag by its key", () => {
    expect(asked(parseListing({ tag: "roof=flat" }, SITE))).toEqual({ "tag.roof": "flat", sort: "name", order: "asc" });
    expect(listingAddress(parseListing({ tag: "roof=flat" }, SITE))).toEqual({ tag: "roof=flat" });
  });

  it("keeps the name among chosen columns", () => {
    expect(shownColumns(parseListing({ cols: "zone" }, SITE), SITE).map((one) => one.key)).toEqual(["name", "zone"]);
  });
});
