import { describe, expect, it } from "vitest";

import type { ApiPoint } from "../api/types";
import { point as example } from "./examples";
import { looks, mainPoints } from "./parts";

const point = (id: number, role: ApiPoint["role"], more: Partial<ApiPoint> = {}) => example({ id, role, ...more });

describe("colours", () => {
  it("follow the role, and patterns tell sources of one kind apart", () => {
    const found = looks([point(1, "solar"), point(2, "solar"), point(3, "home"), point(4, "solar"), point(5, "export")]);
    expect([1, 2, 4].map((id) => found.get(id)?.token)).toEqual(["--solar", "--solar", "--solar"]);
    expect([1, 2, 4].map((id) => found.get(id)?.pattern)).toEqual(["solid", "hatch", "dots"]);
    expect(found.get(5)).toEqual({ token: "--export", pattern: "hatch" });
  });
});

describe("what a site shows by itself", () => {
  it("is its parts, power before counters, without single appliances", () => {
    const meter = point(1, "grid", { kind: "register", base_unit: "Wh", unit: "kWh" });
    const shown = mainPoints([meter, point(2, "grid"), point(3, "home"), point(4, "appliance"), point(5, "none", { base_unit: "V" })]);
    expect(shown.map((one) => one.id)).toEqual([3, 2]);
  });

  it("is the first point where none has a role", () => {
    expect(mainPoints([point(9, "none"), point(8, "none")]).map((one) => one.id)).toEqual([8]);
  });
});
