/** What a chart of the history says in words: its figures, the comparison, its sentence, what it stands on. */

import { computed } from "vue";
import type { Ref } from "vue";

import { span as length } from "../../format/age";
import { change, count, quantity } from "../../format/number";
import { locale, t, tn } from "../../messages";
import { nowMs } from "../../state/connection";
import type { Compare } from "../../time/period";
import { zoneOf } from "../../time/zone";
import { bucketEnds } from "../../view/build";
import { bucketLabel, spanLabel } from "../../view/label";
import { differenceOf, summaryOf } from "../../view/summary";
import type { Question, Shown } from "./useSeries";

const SUMS = { home: "sum.home", grid: "sum.grid", export: "sum.export", solar: "sum.solar", battery: "sum.battery" } as const;
const COMPARED: Readonly<Record<Compare, "compare.thanprevious" | "compare.thanyear">> = { previous: "compare.thanprevious", year: "compare.thanyear" };
const WIDTHS = { day: "note.day", week: "note.week", month: "note.month", year: "note.year" } as const;

/** `speaksOfEnergy`: the chart speaks of amounts, else of means. */
export function useWords(shown: Readonly<Ref<Shown | null>>, question: Readonly<Ref<Question>>, speaksOfEnergy: Readonly<Ref<boolean>>) {
  const zone = computed(() => zoneOf(question.value.zone));
  const main = computed(() => question.value.points[0] ?? null);
  const summary = computed(() => (shown.value && main.value ? summaryOf(shown.value.answer, main.value.id) : null));

  const headline = computed(() => {
    const [point, sum] = [main.value, summary.value];
    if (!point || !sum) return "";
    if (!speaksOfEnergy.value) return t("sum.mean", { name: point.label, value: quantity(sum.mean, point.base_unit, locale.value) });
    const energy = quantity(sum.amount, sum.amountUnit, locale.value);
    return point.role in SUMS ? t(SUMS[point.role as keyof typeof SUMS], { energy }) : t("sum.other", { name: point.label, energy });
  });

  const peak = computed(() => {
    const [point, sum, now] = [main.value, summary.value, shown.value];
    if (!point || !sum || !now || sum.max === null || sum.maxAt === null || point.kind === "register" || point.kind === "delta") return "";
    const index = now.answer.start.indexOf(sum.maxAt);
    const end = bucketEnds(now.answer)[index] ?? null;
    const time = bucketLabel(sum.maxAt, end, zone.value, locale.value);
    return t("sum.peak", { power: quantity(sum.max, point.base_unit, locale.value), time });
  });

  const differences = computed(() => {
    const [point, now] = [main.value, shown.value];
    if (!point || !now || !speaksOfEnergy.value) return [];
    return now.compared.map((compared) => {
      const found = differenceOf(now.answer, compared, point, nowMs(), zone.value);
      const word = t(COMPARED[compared.compare]);
      if (!found) return { key: compared.compare, figures: "–", word };
      const figures = t("compare.difference", {
        percent: change(found.now, found.before, locale.value),
        amount: quantity(found.now - found.before, summary.value?.amountUnit ?? "Wh", locale.value, true),
      });
      return { key: compared.compare, figures, word: found.partial ? t("compare.sofar", { word }) : word };
    });
  });

  const sentence = computed(() => {
    const where = spanLabel(question.value.span, null, zone.value, locale.value);
    return [`${where}: ${headline.value}`, peak.value, ...differences.value.map(({ figures, word }) => `${figures} ${word}`)].filter(Boolean).join(". ");
  });

  const note = computed(() => {
    const now = shown.value;
    if (!now) return "";
    const readings = now.answer.points.reduce((sum, point) => sum + point.readings, 0);
    const said = tn("note.readings", readings, { n: count(readings, locale.value) });
    if (now.readings) return t("note.single", { readings: said });
    const { step, step_s } = now.answer;
    const width = step in WIDTHS ? t(WIDTHS[step as keyof typeof WIDTHS]) : length(step_s);
    return now.question.bars ? t("note.bars", { readings: said, width }) : t("note.line", { readings: said, width });
  });

  return { headline, peak, differences, sentence, note };
}
