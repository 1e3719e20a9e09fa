/** Words of signing in in French. */

import type { Words } from "../index";

export const words: Words<"door"> = {
  "signin.title": "Connexion",
  "signin.text": "pour voir ce que votre maison ou votre site consomme.",
  "signin.email": "E-mail",
  "signin.password": "Mot de passe",
  "signin.show": "Afficher",
  "signin.hide": "Masquer",
  "signin.go": "Se connecter",
  "signin.busy": "Connexion …",
  "signin.wrong": "L’e-mail et le mot de passe ne vont pas ensemble. Vérifiez les deux.",
  "signin.language": "Langue",
  "signin.second": "Le mot de passe est bon. Maintenant la seconde preuve.",
  "signin.code": "Code",
  "signin.codehint": "Les six chiffres de votre application d'authentification, ou un code de secours.",
  "signin.wrongcode": "Ce code ne convient pas ou a déjà servi. Attendez le suivant.",
  "signin.back": "Retour",
  "signin.forgot": "Mot de passe oublié ?",
  "signin.register": "S'inscrire",
  "signin.passkey": "Avec une clé d'accès",
  "signin.nopasskey": "Aucune clé d'accès n'a été présentée. Réessayez, ou utilisez e-mail et mot de passe.",
  "signin.outside": "Se connecter avec {name}",
  "signin.outsiderefused": "Personne ici n'a l'adresse que vous y avez présentée. Demandez une invitation.",
  "signin.outsidefailed": "La connexion là-bas n'a pas fonctionné. Veuillez réessayer.",

  "door.busy": "Un instant …",
  "door.ended": "Ce lien a expiré ou a déjà servi. Demandez-en un nouveau.",
  "door.on": "Continuer",
  "door.back": "Retour à la connexion",

  "register.title": "S'inscrire",
  "register.text": "Un compte à vous. Ce que vous pouvez voir dépend de l'organisation.",
  "register.name": "Votre nom",
  "register.organization": "Organisation",
  "register.passwordhint": "Au moins dix caractères ; plusieurs mots de préférence.",
  "register.go": "S'inscrire",
  "register.have": "J'ai déjà un compte",
  "register.mailed": "Un lien a été envoyé à {email}. Ouvrez-le, puis connectez-vous.",
  "register.closed": "Personne ne peut s'inscrire ici soi-même. Demandez une invitation à votre installateur ou à l'exploitant de ce serveur.",

  "verify.title": "Confirmer l'adresse e-mail",
  "verify.done": "L'adresse est confirmée.",

  "recover.title": "Nouveau mot de passe",
  "recover.text": "Donnez votre adresse e-mail ; un lien pour choisir un nouveau mot de passe y sera envoyé.",
  "recover.asked": "Si {email} a un compte ici, un lien est en route. Il sert une fois, pendant une heure.",
  "recover.go": "Envoyer le lien",
  "recover.choose": "Choisissez un nouveau mot de passe. Toutes vos sessions prennent fin.",
  "recover.password": "Nouveau mot de passe",
  "recover.set": "Enregistrer le mot de passe",

  "invited.title": "Invitation",
  "invited.text": "Vous êtes invité à {place}, en tant que : {role}.",
  "invited.go": "Accepter",
  "invited.signin": "{email} a un compte ici. Connectez-vous pour accepter.",

  "shared.title": "Site partagé",
  "shared.ended": "Ce lien a expiré ou a été retiré. Demandez-en un nouveau à la personne qui l'a envoyé.",
};
