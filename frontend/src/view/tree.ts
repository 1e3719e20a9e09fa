/** Things with parents in the order of their tree: each parent before its children, siblings as they came; pure. */

interface Node {
  readonly id: number;
  readonly parent_id: number | null;
}

/** What has lost its parent, or goes round in a circle, still appears, at the top. */
export function inTreeOrder<Thing extends Node>(things: readonly Thing[]): Thing[] {
  const known = new Set(things.map((one) => one.id));
  const children = new Map<number | null, Thing[]>();
  for (const one of things) {
    const parent = one.parent_id !== null && known.has(one.parent_id) ? one.parent_id : null;
    children.set(parent, [...(children.get(parent) ?? []), one]);
  }
  const ordered = new Set<Thing>();
  const visit = (one: Thing): void => {
    if (ordered.has(one)) return;
    ordered.add(one);
    children.get(one.id)?.forEach(visit);
  };
  children.get(null)?.forEach(visit);
  things.forEach(visit);
  return [...ordered];
}
