/** Words of the first steps in English. */

export const words = {
  "nav.start": "First steps",

  "start.step": "Step {n} of {all}",
  "start.place": "What is it about?",
  "start.placetext": "The place whose energy you want to see. More can be added later.",
  "start.name": "Name of the place",
  "start.namevalue": "My home",
  "start.zone": "Time zone",
  "start.next": "Next",
  "start.back": "Back",
  "start.how": "How do readings come?",
  "start.howtext": "Choose what you have; this only decides what is shown next.",
  "start.emoncms": "EmonCMS sender: emonHub, emonTx, emonESP",
  "start.influx": "InfluxDB sender: Telegraf, Home Assistant",
  "start.line": "Something of my own: a script, a test",
  "start.key": "Your write key",
  "start.once": "It is shown only this once. Put it into the sender together with this address.",
  "start.nokey": "You may not make a key yourself. Ask whoever set this place up for its write key, and put it into the sender together with this address.",
  "start.address": "Address of the server",
  "start.trial": "Or paste this line into a terminal:",
  "start.waiting": "Waiting for the first reading …",
  "start.first": "The first reading is here",
  "start.finish": "To Home",
  "start.later": "Later",
} as const;
