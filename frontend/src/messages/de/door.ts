/** Words of signing in in German. */

import type { Words } from "../index";

export const words: Words<"door"> = {
  "signin.title": "Anmelden",
  "signin.text": "und sehen, was Ihr Haus oder Standort verbraucht.",
  "signin.email": "E-Mail",
  "signin.password": "Passwort",
  "signin.show": "Zeigen",
  "signin.hide": "Verbergen",
  "signin.go": "Anmelden",
  "signin.busy": "Anmeldung läuft …",
  "signin.wrong": "E-Mail und Passwort passen nicht zusammen. Bitte beide prüfen.",
  "signin.language": "Sprache",
};
