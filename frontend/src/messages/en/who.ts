/** Words of what people are, and of notices above every screen in English. */

export const words = {
  "who.administrator": "Administrator",
  "who.owner": "Owner",
  "who.auditor": "Auditor",
  "who.partner": "Installer",
  "who.operator": "Support",
  "who.manager": "Energy manager",
  "who.user": "Resident",
  "who.guest": "Guest",

  "eyes.label": "Looking through another person's eyes",
  "eyes.text": "You, {by}, see what {name} sees. Everything you do is recorded under your name.",
  "eyes.stop": "Stop",

  "reason.title": "Why do you look?",
  "reason.text": "Before customers are shown, tell the reason. It is kept with every look, until you sign out.",
  "reason.label": "Reason",
  "reason.hint": "For example: ticket 4711, meter reads zero.",
  "reason.go": "Go on",
} as const;
