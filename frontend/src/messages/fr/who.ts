/** Words of what people are, and of notices above every screen in French. */

import type { Words } from "../index";

export const words: Words<"who"> = {
  "who.administrator": "Administrateur",
  "who.owner": "Propriétaire",
  "who.auditor": "Auditeur",
  "who.partner": "Installateur",
  "who.operator": "Assistance",
  "who.manager": "Responsable énergie",
  "who.user": "Occupant",
  "who.guest": "Invité",

  "eyes.label": "Par les yeux d'une autre personne",
  "eyes.text": "Vous, {by}, voyez ce que voit {name}. Tout ce que vous faites est consigné sous votre nom.",
  "eyes.stop": "Arrêter",

  "reason.title": "Pourquoi consultez-vous ?",
  "reason.text": "Avant d'afficher les clients, indiquez le motif. Il est consigné à chaque consultation, jusqu'à votre déconnexion.",
  "reason.label": "Motif",
  "reason.hint": "Par exemple : dossier 4711, le compteur affiche zéro.",
  "reason.go": "Continuer",
};
