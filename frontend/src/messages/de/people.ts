/** Words of people and organizations in German. */

import type { Words } from "../index";

export const words: Words<"people"> = {
  "people.empty": "Noch niemand.",

  "invite.go": "Einladen",
  "invite.as": "Als",
  "invite.done": "Eingeladen",
  "invite.mailed": "Eine Einladung wurde an {email} geschickt.",
  "invite.waiting": "Eingeladen, noch ohne Antwort",
  "invite.none": "Keine Einladung ist offen.",
  "invite.drop": "Zurücknehmen",
  "invite.dropone": "Einladung von {email} zurücknehmen",

  "person.platform": "Ganze Plattform",
  "person.roles": "Gehört zu",
  "person.give": "Rolle geben",
  "person.take": "Nehmen",
  "person.takeone": "Rolle {role}, {place} nehmen",
  "person.norole": "Keine Rolle: Diese Person sieht nichts.",
  "person.email": "E-Mail-Adresse ändern",
  "person.drop": "Konto löschen",
  "person.dropone": "Konto von {name} löschen?",
  "person.droptext": "Name, Telefone und Sitzungen werden gelöscht. Standorte und Werte bleiben. Das lässt sich nicht rückgängig machen.",
  "person.impersonate": "Sehen, was sie sieht",
  "person.impersonateone": "Sehen, was {name} sieht",
  "person.impersonatetext": "Höchstens eine Stunde. Es wird festgehalten, und eine Leiste zeigt es auf jeder Seite.",

  "organizations.empty": "Noch keine Organisation.",
  "organizations.new": "Neue Organisation",
  "organizations.make": "Anlegen",
  "organizations.below": "Organisationen darunter",
  "organizations.nobelow": "Keine.",
  "organizations.sites": "Alle ihre Standorte, auch die darunter",
  "organizations.people": "Alle ihre Personen",
  "organizations.nosite": "Kein Standort.",
  "organizations.noperson": "Niemand.",
  "organizations.enabletext": "Ihre Leute können sich wieder anmelden, ihre Geräte senden.",
  "organizations.disabletext": "Niemand von ihr oder darunter kann sich anmelden, kein Gerät senden, bis sie wieder freigegeben ist.",
  "organizations.drop": "Löschen",
  "organizations.dropone": "„{name}“ löschen?",
  "organizations.droptext": "Nur eine Organisation ohne Standorte und Personen lässt sich löschen.",
};
