import { afterEach, expect, it, vi } from "vitest";
import { askPoints } from "./questions";

afterEach(() => vi.unstubAllGlobals());

it("asks for every page of a site's points", async () => {
  const ids = Array.from({ length: 12_001 }, (_, at) => at + 1);
  const asked: string[] = [];
  vi.stubGlobal("document", { baseURI: "http://here/" });
  vi.stubGlobal("fetch", (where: string) => {
    const { search, searchParams } = new URL(where);
    asked.push(search);
    const [after, limit] = [Number(searchParams.get("after") ?? 0), Number(searchParams.get("limit") ?? 1_000)];
    const page = ids.filter((id) => id > after).slice(0, limit);
    return Promise.resolve(Response.json(page.map((id) => ({ id }))));
  });
  expect((await askPoints(7)).map((point) => point.id)).toEqual(ids);
  expect(asked).toHaveLength(3);
  expect(asked.every((search) => search.includes("site=7"))).toBe(true);
});
