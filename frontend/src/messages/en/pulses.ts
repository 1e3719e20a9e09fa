/** Words of the page of a pulse meter in English. */

export const words = {
  "pulses.title": "Pulse meter",
  "pulses.chart": "Power of the last twenty minutes",
  "pulses.sentence": "Power of the last twenty minutes, now {power}",
  "pulses.last": "Last blink {age}, {ms} ms after the one before",
  "pulses.none": "No blink yet. Each one appears here the moment it comes.",
  "pulses.today": "Today: {amount}",
  "pulses.meter": "The meter",
  "pulses.per": "Pulses per kWh",
  "pulses.perhint": "As its face says, imp/kWh. All of its history is then energy, and power follows from the time between blinks.",
  "pulses.open": "Open to these addresses",
  "pulses.openhint": "From these network addresses anybody reads this meter through the pulse API, without a key, such as 192.168.1.0/24. Empty: nobody.",
} as const;
