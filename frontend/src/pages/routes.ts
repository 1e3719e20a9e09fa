/** The screens beyond the household's own: directories, pages of one thing, wizards, doors for those not signed in. */

import type { RouteRecordRaw } from "vue-router";

export const routes: RouteRecordRaw[] = [
  { path: "/settings", name: "settings", component: () => import("./Settings.vue"), meta: { title: "nav.settings", words: ["settings", "door"] } },
  { path: "/more", name: "more", component: () => import("./More.vue"), meta: { title: "nav.more" } },
  { path: "/start", name: "start", component: () => import("./Start.vue"), meta: { title: "nav.start", words: ["points", "start"] } },

  { path: "/blinks/:id(\\d+)", name: "pulses", component: () => import("./Pulses.vue"), meta: { title: "nav.points", words: ["list", "points", "pulses"] } },

  { path: "/sites", name: "sites", component: () => import("./Sites.vue"), meta: { title: "nav.sites", words: ["list", "who", "place"] } },
  { path: "/sites/:id(\\d+)", name: "site", component: () => import("./SitePage.vue"), meta: { title: "nav.site", words: ["list", "who", "place"] } },
  { path: "/devices", name: "devices", component: () => import("./Devices.vue"), meta: { title: "nav.devices", words: ["list", "who", "place"] } },
  { path: "/devices/:id(\\d+)", name: "device", component: () => import("./DevicePage.vue"), meta: { title: "nav.device", words: ["list", "who", "place"] } },
  { path: "/sources", name: "sources", component: () => import("./Sources.vue"), meta: { title: "nav.sources", words: ["list", "sources"] } },
  { path: "/templates", name: "templates", component: () => import("./Templates.vue"), meta: { title: "nav.templates", words: ["list", "templates"] } },
  { path: "/templates/new", name: "template-new", component: () => import("./TemplateEdit.vue"), meta: { title: "templates.new", words: ["list", "templates"] } },
  { path: "/templates/:name/:revision(\\d+)", name: "template", component: () => import("./TemplatePage.vue"), meta: { title: "template.title", words: ["list", "points", "templates"] } },

  { path: "/people", name: "people", component: () => import("./People.vue"), meta: { title: "nav.people", words: ["list", "who", "place", "people"] } },
  { path: "/people/:id(\\d+)", name: "person", component: () => import("./PersonPage.vue"), meta: { title: "nav.person", words: ["list", "who", "place", "people"] } },
  { path: "/organizations", name: "organizations", component: () => import("./Organizations.vue"), meta: { title: "nav.organizations", words: ["list", "who", "people"] } },
  { path: "/organizations/:id(\\d+)", name: "organization", component: () => import("./OrganizationPage.vue"), meta: { title: "nav.organization", words: ["list", "who", "people"] } },

  { path: "/register", name: "register", component: () => import("./door/Register.vue"), meta: { title: "register.title", words: ["door"], open: true } },
  { path: "/verify", name: "verify", component: () => import("./door/Verify.vue"), meta: { title: "verify.title", words: ["door"], open: true } },
  { path: "/recover", name: "recover", component: () => import("./door/Recover.vue"), meta: { title: "recover.title", words: ["door"], open: true } },
  { path: "/invitation", name: "invitation", component: () => import("./door/Invitation.vue"), meta: { title: "invited.title", words: ["door", "who"], open: true } },
  { path: "/shared/:token", name: "shared", component: () => import("./door/Shared.vue"), meta: { title: "shared.title", words: ["door"], open: true } },
];
