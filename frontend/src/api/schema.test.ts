import { readFileSync } from "node:fs";
import { join } from "node:path";

import openapi, { astToString } from "openapi-typescript";
import { expect, it } from "vitest";

it("the types are made from the description that the server gives", async () => {
  const told = JSON.parse(readFileSync(join(import.meta.dirname, "openapi.json"), "utf8")) as object;
  const made = astToString(await openapi(told as Parameters<typeof openapi>[0]));
  const kept = readFileSync(join(import.meta.dirname, "schema.ts"), "utf8");
  expect(kept.endsWith(made), "run `npm run api-types`").toBe(true);
});
