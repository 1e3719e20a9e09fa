/** Worte der Seite eines Impulszählers auf Deutsch. */

import type { Words } from "../index";

export const words: Words<"pulses"> = {
  "pulses.title": "Impulszähler",
  "pulses.chart": "Leistung der letzten zwanzig Minuten",
  "pulses.sentence": "Leistung der letzten zwanzig Minuten, jetzt {power}",
  "pulses.last": "Letztes Blinken {age}, {ms} ms nach dem vorigen",
  "pulses.none": "Noch kein Blinken. Jedes erscheint hier in dem Augenblick, in dem es kommt.",
  "pulses.today": "Heute: {amount}",
  "pulses.meter": "Der Zähler",
  "pulses.per": "Impulse je kWh",
  "pulses.perhint": "Wie auf dem Zähler steht, imp/kWh. Seine ganze Geschichte wird damit Energie, und die Leistung folgt aus der Zeit zwischen zwei Blinken.",
  "pulses.open": "Offen für diese Adressen",
  "pulses.openhint": "Von diesen Netzadressen aus liest jeder diesen Zähler über die Impuls-Schnittstelle ohne Schlüssel, etwa 192.168.1.0/24. Leer: niemand.",
};
