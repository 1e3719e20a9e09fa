/** Words of Settings in English. */

export const words = {
  "settings.look": "Appearance",
  "settings.theme": "Theme",
  "settings.auto": "As the device",
  "settings.light": "Light",
  "settings.dark": "Dark",
  "settings.language": "Language",
  "settings.device": "Kept on this device.",
  "settings.account": "Account",
  "settings.as": "Signed in as {email}.",
  "settings.signout": "Sign out",
  "settings.failed": "Signing out did not work",
  "settings.developers": "For developers",
  "settings.reference": "Everything on these pages can be asked for and sent by programs.",
  "settings.openreference": "Reference of the API",
} as const;
