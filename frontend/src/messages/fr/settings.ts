/** Words of Settings in French. */

import type { Words } from "../index";

export const words: Words<"settings"> = {
  "settings.look": "Apparence",
  "settings.theme": "Thème",
  "settings.auto": "Comme l’appareil",
  "settings.light": "Clair",
  "settings.dark": "Sombre",
  "settings.language": "Langue",
  "settings.device": "Retenu sur cet appareil.",
  "settings.account": "Compte",
  "settings.as": "Connecté en tant que {email}.",
  "settings.signout": "Se déconnecter",
  "settings.failed": "La déconnexion a échoué",
  "settings.developers": "Pour les développeurs",
  "settings.reference": "Tout ce que montrent ces pages peut être demandé et envoyé par des programmes.",
  "settings.openreference": "Référence de l’API",
};
