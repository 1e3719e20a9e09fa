/** Words of what people are, and of notices above every screen in German. */

import type { Words } from "../index";

export const words: Words<"who"> = {
  "who.administrator": "Administrator",
  "who.owner": "Eigentümer",
  "who.auditor": "Prüfer",
  "who.partner": "Installateur",
  "who.operator": "Betreuung",
  "who.manager": "Energiemanager",
  "who.user": "Bewohner",
  "who.guest": "Gast",

  "eyes.label": "Mit den Augen einer anderen Person",
  "eyes.text": "Sie, {by}, sehen, was {name} sieht. Alles, was Sie tun, wird unter Ihrem Namen festgehalten.",
  "eyes.stop": "Beenden",

  "reason.title": "Warum schauen Sie nach?",
  "reason.text": "Bevor Kunden gezeigt werden, nennen Sie den Grund. Er wird bei jedem Blick festgehalten, bis Sie sich abmelden.",
  "reason.label": "Grund",
  "reason.hint": "Zum Beispiel: Vorgang 4711, Zähler zeigt null.",
  "reason.go": "Weiter",
};
