/** Mots de la page d'un compteur à impulsions en français. */

import type { Words } from "../index";

export const words: Words<"pulses"> = {
  "pulses.title": "Compteur à impulsions",
  "pulses.chart": "Puissance des vingt dernières minutes",
  "pulses.sentence": "Puissance des vingt dernières minutes, actuellement {power}",
  "pulses.last": "Dernier éclat {age}, {ms} ms après le précédent",
  "pulses.none": "Pas encore d’éclat. Chacun paraît ici à l’instant où il vient.",
  "pulses.today": "Aujourd’hui : {amount}",
  "pulses.meter": "Le compteur",
  "pulses.per": "Impulsions par kWh",
  "pulses.perhint": "Comme l’indique sa façade, imp/kWh. Tout son historique devient alors de l’énergie, et la puissance découle du temps entre deux éclats.",
  "pulses.open": "Ouvert à ces adresses",
  "pulses.openhint": "Depuis ces adresses du réseau, chacun lit ce compteur par l’interface d’impulsions sans clé, par exemple 192.168.1.0/24. Vide : personne.",
};
