/** Which address shows which screen, below whatever prefix the document's base says; sends strangers to sign in. */

import type { RouteRecordRaw } from "vue-router";
import { createRouter, createWebHistory } from "vue-router";

import type { Part, PlainKey } from "./messages";
import { bring } from "./messages";
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

const routes: RouteRecordRaw[] = [
  { path: "/", name: "home", component: () => charted(import("./pages/Home.vue")), meta: { title: "nav.home" } },
  { path: "/history", name: "history", component: () => charted(import("./pages/History.vue")), meta: { title: "nav.history", words: ["history"] } },
  { path: "/points", name: "points", component: () => import("./pages/Points.vue"), meta: { title: "nav.points", words: ["points"] } },
  { path: "/settings", name: "settings", component: () => import("./pages/Settings.vue"), meta: { title: "nav.settings", words: ["settings"] } },
  { path: "/sign-in", name: "sign-in", component: () => import("./pages/SignIn.vue"), meta: { title: "signin.title", words: ["door"], open: true } },
  { path: "/:rest(.*)*", name: "not-found", component: () => import("./pages/NotFound.vue"), meta: { title: "notfound.title" } },
];

export const router = createRouter({
  history: createWebHistory(new URL(document.baseURI).pathname),
  routes,
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
});

router.beforeResolve(async (to) => {
  await Promise.all((to.meta.words ?? []).map(bring));
});

router.beforeEach(async (to) => {
  if (to.meta.open) return true;
  try {
    return (await knowSession()) ? true : { name: "sign-in", query: to.fullPath === "/" ? {} : { to: to.fullPath } };
  } catch {
    // No connection: the screen itself says so and offers to try again.
    return true;
  }
});
