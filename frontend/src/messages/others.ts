/** Where the words of the screens beyond the household's lie. */

export const OTHERS = {
  who: { en: () => import("./en/who"), de: () => import("./de/who"), fr: () => import("./fr/who") },
  list: { en: () => import("./en/list"), de: () => import("./de/list"), fr: () => import("./fr/list") },
  place: { en: () => import("./en/place"), de: () => import("./de/place"), fr: () => import("./fr/place") },
  people: { en: () => import("./en/people"), de: () => import("./de/people"), fr: () => import("./fr/people") },
  start: { en: () => import("./en/start"), de: () => import("./de/start"), fr: () => import("./fr/start") },
  pulses: { en: () => import("./en/pulses"), de: () => import("./de/pulses"), fr: () => import("./fr/pulses") },
  settings: { en: () => import("./en/settings"), de: () => import("./de/settings"), fr: () => import("./fr/settings") },
  templates: { en: () => import("./en/templates"), de: () => import("./de/templates"), fr: () => import("./fr/templates") },
  protocols: { en: () => import("./en/protocols"), de: () => import("./de/protocols"), fr: () => import("./fr/protocols") },
  sources: { en: () => import("./en/sources"), de: () => import("./de/sources"), fr: () => import("./fr/sources") },
  edges: { en: () => import("./en/edges"), de: () => import("./de/edges"), fr: () => import("./fr/edges") },
  refusals: { en: () => import("./en/refusals"), de: () => import("./de/refusals"), fr: () => import("./fr/refusals") },
} as const;
