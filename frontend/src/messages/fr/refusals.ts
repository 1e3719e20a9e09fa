/** What the server refuses and why, by the codes of its problems, in French. */

import type { Words } from "../index";

export const words: Words<"refusals"> = {
  "refusal.account.invited": "Ce compte n'est pas encore vérifié. Ouvrez le lien qui lui a été envoyé.",
  "refusal.account.closed": "Ce compte ne peut pas être utilisé pour l'instant. Le responsable de votre organisation peut vous aider.",
  "refusal.email.taken": "Il existe déjà un compte avec {email}.",
  "refusal.email.none": "Ce n'est pas une adresse e-mail ; écrivez-la comme nom@lieu.",
  "refusal.link.ended": "Ce lien n'est pas valable, ou ne l'est plus. Demandez-en un nouveau.",
  "refusal.busy": "Le serveur est occupé. Réessayez dans un instant.",
  "refusal.limited": "Trop de tentatives. Réessayez dans {retry_after_s} secondes.",
  "refusal.password.length": "Le mot de passe a {length} caractères ; il en faut de {shortest} à {longest}.",
  "refusal.login.failed": "L'adresse e-mail ou le mot de passe est incorrect.",
  "refusal.stale": "Quelqu'un d'autre a modifié ceci entre-temps. Regardez-le de nouveau, puis modifiez-le.",
  "refusal.template.taken": "Il existe déjà une révision {revision} de « {name} » ; indiquez un numéro plus grand.",
  "refusal.not_found": "Cela n'existe pas, ou ne vous est pas visible.",
  "refusal.no_right": "Vous n'avez pas ce droit ici. Le propriétaire du site ou de l'organisation peut le donner.",
  "refusal.name.empty": "{noun} : ne doit pas être vide.",
  "refusal.name.long": "{noun} : {most} caractères au plus.",
  "refusal.number.none": "{name} : indiquez un nombre.",
  "refusal.number.whole": "{name} : indiquez un nombre entier.",
  "refusal.number.range": "{name} : indiquez de {least} à {most}.",
  "refusal.date.none": "{name} : indiquez une date.",
};
