/** Words of people and organizations in French. */

import type { Words } from "../index";

export const words: Words<"people"> = {
  "people.empty": "Personne pour l'instant.",

  "invite.go": "Inviter",
  "invite.as": "En tant que",
  "invite.done": "Invitation créée",
  "invite.mailed": "Une invitation a été envoyée à {email}.",
  "invite.waiting": "Invitations sans réponse",
  "invite.none": "Aucune invitation en attente.",
  "invite.drop": "Retirer",
  "invite.dropone": "Retirer l'invitation de {email}",

  "person.platform": "Toute la plateforme",
  "person.roles": "Appartient à",
  "person.give": "Donner un rôle",
  "person.take": "Retirer",
  "person.takeone": "Retirer le rôle {role}, {place}",
  "person.norole": "Aucun rôle : cette personne ne voit rien.",
  "person.email": "Modifier l'adresse e-mail",
  "person.drop": "Supprimer le compte",
  "person.dropone": "Supprimer le compte de {name} ?",
  "person.droptext": "Nom, téléphones et sessions sont effacés. Les sites et relevés restent. C'est irréversible.",
  "person.impersonate": "Voir ce qu'elle voit",
  "person.impersonateone": "Voir ce que voit {name}",
  "person.impersonatetext": "Une heure au plus. C'est consigné, et une barre l'affiche sur chaque page.",

  "organizations.empty": "Aucune organisation pour l'instant.",
  "organizations.new": "Nouvelle organisation",
  "organizations.make": "Créer",
  "organizations.below": "Organisations en dessous",
  "organizations.nobelow": "Aucune.",
  "organizations.sites": "Tous ses sites, y compris en dessous",
  "organizations.people": "Toutes ses personnes",
  "organizations.nosite": "Aucun site.",
  "organizations.noperson": "Personne.",
  "organizations.enabletext": "Ses membres peuvent se reconnecter et ses appareils envoyer.",
  "organizations.disabletext": "Personne en elle ou en dessous ne peut se connecter, ni aucun appareil envoyer, jusqu'à sa réactivation.",
  "organizations.drop": "Supprimer",
  "organizations.dropone": "Supprimer « {name} » ?",
  "organizations.droptext": "Seule une organisation sans sites ni personnes peut être supprimée.",
};
