/** Words of Settings in German. */

import type { Words } from "../index";

export const words: Words<"settings"> = {
  "settings.look": "Aussehen",
  "settings.theme": "Farben",
  "settings.auto": "Wie das Gerät",
  "settings.light": "Hell",
  "settings.dark": "Dunkel",
  "settings.language": "Sprache",
  "settings.device": "Auf diesem Gerät gemerkt.",
  "settings.account": "Konto",
  "settings.as": "Angemeldet als {email}.",
  "settings.signout": "Abmelden",
  "settings.failed": "Die Abmeldung ist misslungen",
  "settings.developers": "Für Entwickler",
  "settings.reference": "Alles auf diesen Seiten können auch Programme abfragen und senden.",
  "settings.openreference": "Referenz der API",
};
