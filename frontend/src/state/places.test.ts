import { expect, it } from "vitest";

import { spotsOf } from "./places";

const paths = (role: string) => spotsOf(role).map((spot) => spot.path);

it("has the first page of each role first", () => {
  expect(paths("administrator")[0]).toBe("/organizations");
  for (const role of ["owner", "partner", "auditor", "operator"]) expect(paths(role)[0]).toBe("/sites");
  for (const role of ["manager", "user", "guest"]) expect(paths(role)[0]).toBe("/home");
});

it("offers readings to nobody who runs the platform, people to nobody who lives somewhere", () => {
  expect(paths("administrator")).not.toContain("/home");
  expect(paths("user")).not.toContain("/people");
  expect(paths("guest")).not.toContain("/people");
  expect(paths("guest")).not.toContain("/sources");
});

it("always leads to the settings, whatever the role is called", () => {
  for (const role of ["owner", "nobody", "", "of a newer server"]) expect(paths(role)).toContain("/settings");
});
