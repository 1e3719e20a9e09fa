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
  "signin.second": "Das Passwort stimmt. Jetzt der zweite Nachweis.",
  "signin.code": "Code",
  "signin.codehint": "Die sechs Ziffern Ihrer Authenticator-App oder einer Ihrer Wiederherstellungscodes.",
  "signin.wrongcode": "Dieser Code passt nicht oder wurde schon benutzt. Warten Sie auf den nächsten.",
  "signin.back": "Zurück",
  "signin.forgot": "Passwort vergessen?",
  "signin.register": "Registrieren",
  "signin.passkey": "Mit Passkey anmelden",
  "signin.nopasskey": "Es wurde kein Passkey gezeigt. Versuchen Sie es erneut oder nehmen Sie E-Mail und Passwort.",
  "signin.outside": "Mit {name} anmelden",
  "signin.outsiderefused": "Niemand hier hat die Adresse, die Sie dort gezeigt haben. Bitten Sie um eine Einladung.",
  "signin.outsidefailed": "Die Anmeldung dort hat nicht geklappt. Bitte versuchen Sie es erneut.",

  "door.busy": "Einen Moment …",
  "door.ended": "Dieser Link ist abgelaufen oder wurde schon benutzt. Bitten Sie um einen neuen.",
  "door.on": "Weiter",
  "door.back": "Zurück zur Anmeldung",

  "register.title": "Registrieren",
  "register.text": "Ein eigenes Konto. Was Sie sehen dürfen, entscheidet die Organisation.",
  "register.name": "Ihr Name",
  "register.organization": "Organisation",
  "register.passwordhint": "Mindestens zehn Zeichen; am besten mehrere Wörter.",
  "register.go": "Registrieren",
  "register.have": "Ich habe ein Konto",
  "register.mailed": "Ein Link wurde an {email} geschickt. Öffnen Sie ihn und melden Sie sich an.",
  "register.closed": "Hier kann sich niemand selbst registrieren. Bitten Sie Ihren Installateur oder den Betreiber dieses Servers um eine Einladung.",

  "verify.title": "E-Mail-Adresse bestätigen",
  "verify.done": "Die Adresse ist bestätigt.",

  "recover.title": "Neues Passwort",
  "recover.text": "Nennen Sie Ihre E-Mail-Adresse; dorthin geht ein Link für ein neues Passwort.",
  "recover.asked": "Wenn {email} hier ein Konto hat, ist ein Link unterwegs. Er gilt einmal, eine Stunde lang.",
  "recover.go": "Link schicken",
  "recover.choose": "Wählen Sie ein neues Passwort. Alle Ihre Sitzungen enden.",
  "recover.password": "Neues Passwort",
  "recover.set": "Passwort setzen",

  "invited.title": "Einladung",
  "invited.text": "Sie sind zu {place} eingeladen, als: {role}.",
  "invited.go": "Annehmen",
  "invited.signin": "{email} hat hier ein Konto. Melden Sie sich an, um anzunehmen.",

  "shared.title": "Geteilter Standort",
  "shared.ended": "Dieser Link ist abgelaufen oder wurde zurückgenommen. Bitten Sie den Absender um einen neuen.",
};
