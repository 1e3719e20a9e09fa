/** Which address shows which screen, below whatever prefix the document's base says; sends strangers to sign in. */

import type { RouteRecordRaw } from "vue-router";
import { createRouter, createWebHistory } from "vue-router";

import type { Part, PlainKey } from "./messages";
import { bring } from "./messages";
import { landing } from "./state/landing";
import { knowSession } from "./state/session";

declare module "vue-router" {
  interface RouteMeta {
    title: PlainKey;
    /** Words beside the first ones. */
    words?: readonly Part[];
    /** Shown without being signed in. */
    open?: boolean;
  }
}

/** A page with charts: the chart's script is asked for at the same time, not after the page's. */
function charted<Page>(page: Promise<Page>): Promise<Page> {
  void import("./chart/TimeChart.vue");
  return page;
}

const lost = () => import("./pages/NotFound.vue");

/** The screens that a household uses; all others come with `pages/routes.ts` when the first of them is asked for. */
const routes: RouteRecordRaw[] = [
  { path: "/", name: "front", component: lost, beforeEnter: () => landing().catch(() => "/home"), meta: { title: "nav.home" } },
  { path: "/home", name: "home", component: () => charted(import("./pages/Home.vue")), meta: { title: "nav.home" } },
  { path: "/history", name: "history", component: () => charted(import("./pages/History.vue")), meta: { title: "nav.history", words: ["history"] } },
  { path: "/points", name: "points", component: () => import("./pages/Points.vue"), meta: { title: "nav.points", words: ["points"] } },
  { path: "/sign-in", name: "sign-in", component: () => import("./pages/SignIn.vue"), meta: { title: "signin.title", words: ["door"], open: true } },
  { path: "/:rest(.*)*", name: "not-found", component: lost, meta: { title: "notfound.title" } },
];

export const router = createRouter({
  history: createWebHistory(new URL(document.baseURI).pathname),
  routes,
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
});

router.beforeResolve(async (to) => {
  await Promise.all((to.meta.words ?? []).map(bring));
});

let all = false;

router.beforeEach(async (to) => {
  if (to.name === "not-found" && !all) {
    const { routes: others } = await import("./pages/routes");
    others.forEach((route) => router.addRoute(route));
    all = true;
    return { path: to.path, query: to.query, hash: to.hash, replace: true };
  }
  if (to.meta.open) return true;
  try {
    return (await knowSession()) ? true : { name: "sign-in", query: to.fullPath === "/" ? {} : { to: to.fullPath } };
  } catch {
    // No connection: the screen itself says so and offers to try again.
    return true;
  }
});
