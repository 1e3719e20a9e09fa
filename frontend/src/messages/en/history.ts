/** Words of History in English. */

export const words = {
  "compare.label": "Compare with",

  "compare.thanprevious": "against the period before",
  "compare.thanyear": "against a year before",
  "compare.sofar": "{word}, as far as both are known",

  "period.length": "Length of the period",
  "period.day": "Day",
  "period.week": "Week",
  "period.month": "Month",
  "period.year": "Year",
  "period.decade": "10 years",
  "period.earlier": "Earlier",
  "period.later": "Later",
  "period.present": "Now",
  "period.choose": "{period}: choose another day",

  "form.label": "Draw as",
  "form.power": "Power",
  "form.energy": "Energy",

  "zoom.label": "Zoom",
  "zoom.in": "Zoom in",
  "zoom.out": "Zoom out",
  "zoom.left": "Move to earlier",
  "zoom.right": "Move to later",
  "zoom.back": "One step back",
  "zoom.enter": "Look into {bucket}",

  "legend.all": "Show all {n} points",
  "legend.fewer": "Show fewer points",

  "sum.home": "Used {energy}",
  "sum.grid": "Bought {energy}",
  "sum.export": "Sold {energy}",
  "sum.solar": "Made {energy}",
  "sum.battery": "Stored {energy}",
  "sum.other": "{name}: {energy}",
  "sum.mean": "{name}: {value} on average",
  "sum.peak": "Peak {power}, {time}",

  "note.readings": "{n} reading | {n} readings",
  "note.single": "{readings}, each drawn as it came",
  "note.bars": "{readings}; one bar is {width}",
  "note.line": "{readings}; mean of {width}, lowest to highest as a band",
  "note.day": "a day",
  "note.week": "a week",
  "note.month": "a month",
  "note.year": "a year",

  "history.energy": "Power and energy",
  "history.measured": "Measured in {unit}",
  "history.unitless": "Without unit",
  "history.also": "Also measured here",
  "history.nothing": "No readings in {span}.",
  "history.golatest": "To the last readings",
  "history.failed": "The readings could not be loaded",

  "table.time": "Time",
  "table.min": "lowest",
  "table.max": "highest",
  "table.show": "Show as table",
  "table.hide": "Hide the table",
  "table.save": "Download (CSV)",
  "table.raw": "Raw readings of {name} (CSV)",
} as const;
