/** What the server refuses and why, by the codes of its problems, in English. */

export const words = {
  "refusal.account.invited": "This account is not verified yet. Open the link that was mailed to it.",
  "refusal.account.closed": "This account cannot be used now. Whoever runs your organization can help.",
  "refusal.email.taken": "There is an account with {email} already.",
  "refusal.email.none": "This is no e-mail address; write it like name@place.",
  "refusal.link.ended": "This link is not valid, or no longer. Ask for a new one.",
  "refusal.busy": "The server is busy. Try again in a moment.",
  "refusal.limited": "Too many attempts. Try again in {retry_after_s} seconds.",
  "refusal.password.length": "The password has {length} characters; it needs {shortest} to {longest}.",
  "refusal.login.failed": "E-mail address or password is wrong.",
  "refusal.stale": "Somebody else changed this meanwhile. Look at it again, then change it.",
  "refusal.template.taken": "There is a revision {revision} of “{name}” already; give a greater number.",
  "refusal.not_found": "This does not exist, or is not yours to see.",
  "refusal.no_right": "You have no right to do this here. Whoever owns the site or organization can give it.",
  "refusal.name.empty": "{noun}: must not be empty.",
  "refusal.name.long": "{noun}: at most {most} characters.",
  "refusal.number.none": "{name}: give a number.",
  "refusal.number.whole": "{name}: give a whole number.",
  "refusal.number.range": "{name}: give {least} to {most}.",
  "refusal.date.none": "{name}: give a date.",
} as const;
