import { expect, it } from "vitest";

import { bytesOf, textOf } from "./passkeys";

it("keeps bytes as base64url and back, without padding", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const text = textOf(bytes.buffer);
  expect(text).not.toMatch(/[+/=]/);
  expect(bytesOf(text)).toEqual(bytes);
  expect(textOf(Uint8Array.of(251, 255).buffer)).toBe("-_8");
});
