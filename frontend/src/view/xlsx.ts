/** A table as an Excel workbook: times as dates of the site's clock, numbers as numbers; no library. */

import type { Zone } from "../time/zone";
import type { Rows } from "./table";

const DAY_MS = 86_400_000;
/** Excel counts days from here. */
const EXCEL_START_MS = Date.UTC(1899, 11, 30);
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";

function escaped(text: string): string {
  // Control characters have no place in XML.
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "").replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

/** `A`, `B` … `Z`, `AA`: how a sheet names its columns, counted from 0. */
export function columnName(index: number): string {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : columnName(Math.floor(index / 26) - 1) + last;
}

function sheet(rows: Rows, zone: Zone): string {
  const unit = rows.unit ? ` [${rows.unit}]` : "";
  const letters = Array.from({ length: rows.columns.length + 1 }, (_, i) => columnName(i));
  const text = (value: string, i: number) => `<c r="${letters[i]}1" t="inlineStr"><is><t xml:space="preserve">${escaped(value)}</t></is></c>`;
  const head = ["time", ...rows.columns.map((column) => column.name + unit)].map(text).join("");
  const body = rows.time.map((ms, i) => {
    const clock = (ms + zone.offset(ms) - EXCEL_START_MS) / DAY_MS;
    const cells = rows.columns.map(({ cells }, j) => (cells[i] === null ? "" : `<c r="${letters[j + 1]}${i + 2}"><v>${cells[i]}</v></c>`));
    return `<row r="${i + 2}"><c r="A${i + 2}" s="1"><v>${clock}</v></c>${cells.join("")}</row>`;
  });
  return `${HEAD}<worksheet xmlns="${MAIN}"><cols><col min="1" max="1" width="20" customWidth="1"/></cols><sheetData><row r="1">${head}</row>${body.join("")}</sheetData></worksheet>`;
}

/** Style 1 is a date with its time; the first fills, font and border are those that every program expects to find. */
const STYLES = [
  `${HEAD}<styleSheet xmlns="${MAIN}">`,
  '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>',
  '<fonts count="1"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>',
  '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>',
  '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>',
  '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>',
  '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>',
  '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>',
  '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
].join("");

/** The parts of the smallest workbook that Excel and others open; some look for the styles only at `xl/styles.xml`. */
function parts(rows: Rows, zone: Zone): readonly (readonly [string, string])[] {
  const type = (part: string, kind: string) => `<Override PartName="/xl/${part}" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.${kind}+xml"/>`;
  const types = type("workbook.xml", "sheet.main") + type("worksheets/sheet1.xml", "worksheet") + type("styles.xml", "styles");
  const related = (id: number, kind: string, target: string) => `<Relationship Id="rId${id}" Type="${OFFICE}/${kind}" Target="${target}"/>`;
  const relations = (...all: string[]) => `${HEAD}<Relationships xmlns="${PACKAGE}/relationships">${all.join("")}</Relationships>`;
  return [
    [
      "[Content_Types].xml",
      `${HEAD}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${types}</Types>`,
    ],
    ["_rels/.rels", relations(related(1, "officeDocument", "xl/workbook.xml"))],
    ["xl/workbook.xml", `${HEAD}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets><sheet name="Wattstead" sheetId="1" r:id="rId1"/></sheets></workbook>`],
    ["xl/_rels/workbook.xml.rels", relations(related(1, "worksheet", "worksheets/sheet1.xml"), related(2, "styles", "styles.xml"))],
    ["xl/styles.xml", STYLES],
    ["xl/worksheets/sheet1.xml", sheet(rows, zone)],
  ];
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = (CRC[(c ^ byte) & 255] as number) ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** A little-endian record from (size in bytes, value) pairs. */
function record(fields: readonly (readonly [2 | 4, number])[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(view.buffer);
}

/** Files stored one after the other in a zip, uncompressed. */
export function zipped(files: readonly (readonly [string, string])[]): Uint8Array[] {
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [];
  const index: Uint8Array[] = [];
  let at = 0;
  for (const [name, content] of files) {
    const [path, bytes] = [encoder.encode(name), encoder.encode(content)];
    const common = [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, 0x21], [4, crc32(bytes)], [4, bytes.length], [4, bytes.length], [2, path.length], [2, 0]] as const;
    const local = record([[4, 0x04034b50], ...common]);
    index.push(record([[4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]]), path);
    pieces.push(local, path, bytes);
    at += local.length + path.length + bytes.length;
  }
  const length = index.reduce((sum, piece) => sum + piece.length, 0);
  const end = record([[4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, length], [4, at], [2, 0]]);
  return [...pieces, ...index, end];
}

export function workbook(rows: Rows, zone: Zone): Blob {
  return new Blob(zipped(parts(rows, zone)) as BlobPart[], { type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" });
}
