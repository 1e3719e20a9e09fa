import { describe, expect, it } from "vitest";

import { EMPTY_PICTURE } from "../chart/picture";
import { Zone } from "../time/zone";
import { csvOf, isoWithOffset, rowsOf } from "./table";

const WORDS = { min: "lowest", max: "highest", compare: (name: string) => `${name}, before` };

describe("table and file", () => {
  it("write times with the offset of the site", () => {
    expect(isoWithOffset(Date.UTC(2026, 6, 1, 10), new Zone("Europe/Berlin"))).toBe("2026-07-01T12:00:00+02:00");
    expect(isoWithOffset(Date.UTC(2026, 6, 1, 10, 0, 0, 250), new Zone("America/St_Johns"))).toBe("2026-07-01T07:30:00.250-02:30");
  });

  it("give what is drawn, without what lies outside or was not read", () => {
    const trace = { key: "1", name: "Home, all", look: { token: "--home", pattern: "solid" as const }, fill: false, compare: null, sign: 1 as const };
    const picture = { ...EMPTY_PICTURE, x: [0, 1000, 2000, 9000], traces: [{ ...trace, mean: [1, null, 3, 4], low: [0, null, 2, 3], high: [2, null, 4, 5] }] };
    const rows = rowsOf(picture, { from: 0, to: 5000 }, picture.x, WORDS);
    expect(csvOf(rows, new Zone("UTC"))).toBe(
      'time,"Home, all [W]","Home, all lowest [W]","Home, all highest [W]"\r\n1970-01-01T00:00:00+00:00,1,0,2\r\n1970-01-01T00:00:02+00:00,3,2,4\r\n',
    );
  });

  it.each(["=1+1", "\uff1d1+1", " \uff201", "'=1"])("keep a spreadsheet from running the name %s as a formula", (name) => {
    const rows = { time: [0], columns: [{ name, cells: [1] }], unit: "" };
    expect(csvOf(rows, new Zone("UTC")).split("\r\n")[0]).toBe(`time,"'${name}"`);
  });
});

describe("the workbook", () => {
  it("is a zip whose parts and sums fit", async () => {
    const { zipped } = await import("./xlsx");
    const bytes = new Uint8Array(await new Blob(zipped([["a.txt", "wattstead"], ["b/ü.xml", "<x/>"]]) as BlobPart[]).arrayBuffer());
    const view = new DataView(bytes.buffer);
    expect(view.getUint32(0, true)).toBe(0x04034b50);
    expect(view.getUint32(14, true)).toBe(0xc414fac0);
    expect(view.getUint32(bytes.length - 22, true)).toBe(0x06054b50);
    expect(view.getUint16(bytes.length - 12, true)).toBe(2);
  });
});
