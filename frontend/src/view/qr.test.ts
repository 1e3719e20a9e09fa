import { createHash } from "node:crypto";

import { expect, it } from "vitest";

import { qrCode, qrPath } from "./qr";

/** Text, version, and the digest of its modules with mask 3, as another encoder (python-qrcode) draws them. */
const DRAWN: readonly (readonly [string, number, string])[] = [
  ["A", 1, "bc9009ae87ca68f1d256b69eb26362086d73d9f0b95f1e9f3dccae752626c3b6"],
  ["otpauth://totp/Wattstead:ada@example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Wattstead", 6, "fe79dbb47d5188915eab7f1a74e686e9c1c7861402645e3b38db0e0e7624d26a"],
  ["é".repeat(60), 7, "f983d6b9d9b53cda6da989dbb25ac05591731fb003777bd99c6abf52c85b394f"],
  ["x".repeat(150), 8, "dd8bc6552402d546eac3223a890a1c66065984e643b6ecb8bc59a5859e4ae03b"],
  ["y".repeat(213), 10, "6e67170b9a2b24077eec251494aaa35b58fd73ce6d75383f2ceaf5331262b992"],
];

it.each(DRAWN)("is drawn module by module as others draw it: %s", (text, version, digest) => {
  const modules = qrCode(text, 3) ?? [];
  expect(modules.length).toBe(version * 4 + 17);
  const rows = modules.map((row) => row.map(Number).join("")).join("\n");
  expect(createHash("sha256").update(rows).digest("hex")).toBe(digest);
});

it("is refused where the text is too long", () => {
  expect(qrCode("z".repeat(214))).toBeNull();
});

it("is a path with one square a module", () => {
  expect(qrPath([[true, false], [false, true]], 1)).toBe("M1 1h1v1h-1zM2 2h1v1h-1z");
});
