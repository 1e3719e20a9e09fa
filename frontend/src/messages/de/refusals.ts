/** What the server refuses and why, by the codes of its problems, in German. */

import type { Words } from "../index";

export const words: Words<"refusals"> = {
  "refusal.account.invited": "Dieses Konto ist noch nicht bestätigt. Öffnen Sie den Link, der ihm geschickt wurde.",
  "refusal.account.closed": "Dieses Konto kann zurzeit nicht benutzt werden. Wer Ihre Organisation betreut, kann helfen.",
  "refusal.email.taken": "Es gibt schon ein Konto mit {email}.",
  "refusal.email.none": "Das ist keine E-Mail-Adresse; schreiben Sie sie wie name@ort.",
  "refusal.link.ended": "Dieser Link gilt nicht oder nicht mehr. Bitten Sie um einen neuen.",
  "refusal.busy": "Der Server ist beschäftigt. Versuchen Sie es gleich noch einmal.",
  "refusal.limited": "Zu viele Versuche. Versuchen Sie es in {retry_after_s} Sekunden wieder.",
  "refusal.password.length": "Das Passwort hat {length} Zeichen; es braucht {shortest} bis {longest}.",
  "refusal.login.failed": "E-Mail-Adresse oder Passwort ist falsch.",
  "refusal.stale": "Jemand hat das inzwischen geändert. Sehen Sie es neu an und ändern Sie es dann.",
  "refusal.template.taken": "Es gibt schon eine Revision {revision} von „{name}“; geben Sie eine größere Nummer an.",
  "refusal.not_found": "Das gibt es nicht, oder Sie dürfen es nicht sehen.",
  "refusal.no_right": "Dazu haben Sie hier kein Recht. Wem der Standort oder die Organisation gehört, kann es geben.",
  "refusal.name.empty": "{noun}: darf nicht leer sein.",
  "refusal.name.long": "{noun}: höchstens {most} Zeichen.",
  "refusal.number.none": "{name}: bitte eine Zahl.",
  "refusal.number.whole": "{name}: bitte eine ganze Zahl.",
  "refusal.number.range": "{name}: bitte {least} bis {most}.",
  "refusal.date.none": "{name}: bitte ein Datum.",
};
