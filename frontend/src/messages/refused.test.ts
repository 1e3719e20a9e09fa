import { beforeAll, describe, expect, it, vi } from "vitest";

import { bring, speak } from ".";
import { reword } from "./refused";

async function sentence(told: { code: string; figures?: object }): Promise<string> {
  const problem = { detail: "an English sentence", ...told };
  await reword(problem);
  return problem.detail;
}

describe("what the server refused", () => {
  beforeAll(async () => {
    vi.stubGlobal("document", { documentElement: { lang: "" } });
    await bring("list");
    await speak("de", false);
  });

  it("is said by its code in one's own language, with its figures", async () => {
    expect(await sentence({ code: "password.length", figures: { length: 3, shortest: 10, longest: 200 } })).toBe(
      "Das Passwort hat 3 Zeichen; es braucht 10 bis 200.",
    );
  });

  it("names a field as the pages do", async () => {
    expect(await sentence({ code: "number.none", figures: { name: "area_m2" } })).toMatch(/^Fläche: /);
    expect(await sentence({ code: "number.none", figures: { name: "unheard_of" } })).toMatch(/^unheard_of: /);
  });

  it("is said by its status where there is no code, and names the field", async () => {
    const problem = { detail: "an English sentence", places: [{ place: "area_m2", reason: "is odd" }] };
    await reword(problem, 400);
    expect(problem.detail).toBe("Hier passt etwas nicht: Fläche.");
    const other = { detail: "an English sentence" };
    await reword(other, 403);
    expect(other.detail).toBe("Das dürfen Sie hier nicht.");
  });

  it("names a setting of a source", async () => {
    expect(await sentence({ code: "setting.most", figures: { setting: "p1.port", bound: 65535 } })).toMatch(/: höchstens 65\.535\.$/);
  });

  it("stays the server's sentence where the code has no words here", async () => {
    expect(await sentence({ code: "brand.new" })).toBe("an English sentence");
  });
});
