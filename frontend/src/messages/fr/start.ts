/** Words of the first steps in French. */

import type { Words } from "../index";

export const words: Words<"start"> = {
  "nav.start": "Premiers pas",

  "start.step": "Étape {n} sur {all}",
  "start.place": "De quoi s'agit-il ?",
  "start.placetext": "Le lieu dont vous voulez voir l'énergie. D'autres pourront suivre.",
  "start.name": "Nom du lieu",
  "start.namevalue": "Ma maison",
  "start.zone": "Fuseau horaire",
  "start.next": "Suivant",
  "start.back": "Retour",
  "start.how": "Comment arrivent les relevés ?",
  "start.howtext": "Choisissez ce que vous avez ; cela décide seulement de la suite.",
  "start.emoncms": "Émetteur EmonCMS : emonHub, emonTx, emonESP",
  "start.influx": "Émetteur InfluxDB : Telegraf, Home Assistant",
  "start.line": "Quelque chose à moi : un script, un essai",
  "start.key": "Votre clé d'écriture",
  "start.once": "Elle n'est affichée que cette fois. Saisissez-la dans l'émetteur avec cette adresse.",
  "start.nokey": "Vous ne pouvez pas créer de clé vous-même. Demandez la clé d’écriture à la personne qui a installé ce lieu et indiquez-la à l’émetteur avec cette adresse.",
  "start.address": "Adresse du serveur",
  "start.trial": "Ou collez cette ligne dans un terminal :",
  "start.waiting": "En attente du premier relevé …",
  "start.first": "Le premier relevé est arrivé",
  "start.finish": "Vers l'accueil",
  "start.later": "Plus tard",
};
