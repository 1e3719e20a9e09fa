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
  "signin.second": "The password was right. Now the second proof.",
  "signin.code": "Code",
  "signin.codehint": "The six digits of your authenticator app, or one of your recovery codes.",
  "signin.wrongcode": "This code does not fit, or was used before. Wait for the next one.",
  "signin.back": "Back",
  "signin.forgot": "Forgot the password?",
  "signin.register": "Register",

  "door.busy": "One moment …",
  "door.on": "Go on",
  "door.back": "Back to sign in",

  "register.title": "Register",
  "register.text": "An account of your own, for your home or your company.",
  "register.name": "Your name",
  "register.organization": "Home or company",
  "register.organizationhint": "A name for what you look after, for example: Home of Ada.",
  "register.passwordhint": "At least ten characters; several words are best.",
  "register.go": "Register",
  "register.have": "I have an account",
  "register.mailed": "A link was sent to {email}. Open it, then sign in.",

  "verify.title": "Confirm the e-mail address",
  "verify.done": "The address is confirmed.",

  "recover.title": "New password",
  "recover.text": "Tell us your e-mail address; a link to set a new password is sent there.",
  "recover.asked": "If {email} has an account here, a link is on its way. It works once, for an hour.",
  "recover.go": "Send the link",
  "recover.choose": "Choose a new password. All sessions of yours end.",
  "recover.password": "New password",
  "recover.set": "Set the password",

  "invited.title": "Invitation",
  "invited.text": "You are invited to {place}, as: {role}.",
  "invited.go": "Accept",

  "shared.title": "Shared site",
  "shared.ended": "This link has ended or was taken back. Ask whoever sent it for a new one.",
} as const;
