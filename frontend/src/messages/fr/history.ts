/** Words of History in French. */

import type { Words } from "../index";

export const words: Words<"history"> = {
  "compare.label": "Comparer avec",

  "compare.thanprevious": "par rapport à la période précédente",
  "compare.thanyear": "par rapport à l’année précédente",
  "compare.sofar": "{word}, là où les deux sont connues",

  "period.length": "Longueur de la période",
  "period.day": "Jour",
  "period.week": "Semaine",
  "period.month": "Mois",
  "period.year": "Année",
  "period.decade": "10 ans",
  "period.earlier": "Plus tôt",
  "period.later": "Plus tard",
  "period.present": "Présent",
  "period.choose": "{period} : choisir un autre jour",

  "form.label": "Tracer",
  "form.power": "Puissance",
  "form.energy": "Énergie",

  "zoom.label": "Zoom",
  "zoom.in": "Agrandir",
  "zoom.out": "Réduire",
  "zoom.left": "Vers le passé",
  "zoom.right": "Vers le présent",
  "zoom.back": "Un pas en arrière",
  "zoom.enter": "Voir {bucket}",

  "legend.all": "Afficher les {n} points",
  "legend.fewer": "Afficher moins de points",

  "sum.home": "{energy} consommés",
  "sum.grid": "{energy} achetés",
  "sum.export": "{energy} vendus",
  "sum.solar": "{energy} produits",
  "sum.battery": "{energy} stockés",
  "sum.other": "{name} : {energy}",
  "sum.mean": "{name} : {value} en moyenne",
  "sum.peak": "Pointe {power}, {time}",

  "note.readings": "{n} mesure | {n} mesures",
  "note.single": "{readings}, chacune tracée telle quelle",
  "note.bars": "{readings} ; une barre représente {width}",
  "note.line": "{readings} ; moyenne sur {width}, du plus bas au plus haut en bande",
  "note.day": "un jour",
  "note.week": "une semaine",
  "note.month": "un mois",
  "note.year": "une année",

  "history.energy": "Puissance et énergie",
  "history.measured": "Mesuré en {unit}",
  "history.unitless": "Sans unité",
  "history.also": "Aussi mesuré ici",
  "history.nothing": "Aucune mesure : {span}.",
  "history.golatest": "Vers les dernières mesures",
  "history.slow": "Cela prend plus de temps que d’habitude …",
  "history.failed": "Les mesures n’ont pas pu être chargées",

  "table.time": "Heure",
  "table.min": "minimum",
  "table.max": "maximum",
  "table.show": "Afficher en tableau",
  "table.hide": "Masquer le tableau",
  "table.csv": "CSV",
  "table.excel": "Excel",
  "table.raw": "Mesures brutes de {name} (CSV)",
};
