/** Words of History in German. */

import type { Words } from "../index";

export const words: Words<"history"> = {
  "compare.label": "Vergleichen mit",

  "compare.thanprevious": "gegen den Zeitraum davor",
  "compare.thanyear": "gegen ein Jahr davor",
  "compare.sofar": "{word}, soweit beide bekannt sind",

  "period.length": "Länge des Zeitraums",
  "period.day": "Tag",
  "period.week": "Woche",
  "period.month": "Monat",
  "period.year": "Jahr",
  "period.decade": "10 Jahre",
  "period.earlier": "Früher",
  "period.later": "Später",
  "period.present": "Jetzt",
  "period.choose": "{period}: anderen Tag wählen",

  "form.label": "Zeichnen als",
  "form.power": "Leistung",
  "form.energy": "Energie",

  "zoom.label": "Vergrößern",
  "zoom.in": "Vergrößern",
  "zoom.out": "Verkleinern",
  "zoom.left": "Nach früher",
  "zoom.right": "Nach später",
  "zoom.back": "Einen Schritt zurück",
  "zoom.enter": "{bucket} ansehen",

  "legend.all": "Alle {n} Messpunkte zeigen",
  "legend.fewer": "Weniger Messpunkte zeigen",

  "sum.home": "{energy} verbraucht",
  "sum.grid": "{energy} bezogen",
  "sum.export": "{energy} eingespeist",
  "sum.solar": "{energy} erzeugt",
  "sum.battery": "{energy} gespeichert",
  "sum.other": "{name}: {energy}",
  "sum.mean": "{name}: {value} im Mittel",
  "sum.peak": "Spitze {power}, {time}",

  "note.readings": "{n} Messwert | {n} Messwerte",
  "note.single": "{readings}, jeder gezeichnet, wie er kam",
  "note.bars": "{readings}; ein Balken ist {width}",
  "note.line": "{readings}; Mittel über {width}, tiefster bis höchster als Band",
  "note.day": "ein Tag",
  "note.week": "eine Woche",
  "note.month": "ein Monat",
  "note.year": "ein Jahr",

  "history.energy": "Leistung und Energie",
  "history.measured": "Gemessen in {unit}",
  "history.unitless": "Ohne Einheit",
  "history.also": "Hier auch gemessen",
  "history.nothing": "Keine Messwerte in {span}.",
  "history.golatest": "Zu den letzten Messwerten",
  "history.slow": "Das dauert länger als sonst …",
  "history.failed": "Die Messwerte konnten nicht geladen werden",

  "table.time": "Zeit",
  "table.min": "tiefster",
  "table.max": "höchster",
  "table.show": "Als Tabelle zeigen",
  "table.hide": "Tabelle verbergen",
  "table.csv": "CSV",
  "table.excel": "Excel",
  "table.raw": "Rohwerte von {name} (CSV)",
};
