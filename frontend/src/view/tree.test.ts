import { expect, it } from "vitest";

import { inTreeOrder } from "./tree";

const node = (id: number, parent_id: number | null) => ({ id, parent_id });
const ids = (...nodes: { id: number; parent_id: number | null }[]) => inTreeOrder(nodes).map((one) => one.id);

it("puts parents before their children", () => {
  expect(ids(node(3, 2), node(1, null), node(2, 1), node(4, null))).toEqual([1, 2, 3, 4]);
});

it("loses nothing, whatever the parents are", () => {
  expect(ids(node(1, 2), node(2, 1), node(3, 99))).toEqual([3, 1, 2]);
});
