/** Words of signing in in English. */

export const words = {
  "signin.title": "Sign in",
  "signin.text": "to see what your home or site uses.",
  "signin.email": "E-mail",
  "signin.password": "Password",
  "signin.show": "Show",
  "signin.hide": "Hide",
  "signin.go": "Sign in",
  "signin.busy": "Signing in …",
  "signin.wrong": "E-mail and password do not fit together. Please check both.",
  "signin.language": "Language",
} as const;
