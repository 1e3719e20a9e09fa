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
};
