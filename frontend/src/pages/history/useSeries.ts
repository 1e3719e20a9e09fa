/** Asks for what one chart shows, newest question only, and makes the picture; remembers the last answers. */

import { computed, onBeforeUnmount, shallowRef, watch } from "vue";
import type { Ref } from "vue";

import { Refused, withdrawn } from "../../api/client";
import { askReadings, askSeries } from "../../api/questions";
import type { ApiPoint, ReadingsAnswer, SeriesAnswer } from "../../api/types";
import type { Look, Picture } from "../../chart/picture";
import { EMPTY_PICTURE } from "../../chart/picture";
import { nowMs } from "../../state/connection";
import { expired } from "../../state/session";
import type { Compare, Shift, Span } from "../../time/period";
import { counterpart } from "../../time/period";
import { zoneOf } from "../../time/zone";
import type { Compared, Drawing } from "../../view/build";
import { barPicture, linePicture, readingsPicture } from "../../view/build";
import type { Step } from "../../view/form";
import { MOST_BUCKETS, bucketsFor, lineStep } from "../../view/form";
import { hasAmount, isPower } from "../../view/parts";
import { rateOf } from "../../view/summary";
import { toBase } from "../../view/units";

export interface Question {
  readonly points: readonly ApiPoint[];
  readonly span: Span;
  /** Width of the bars; null for a line. */
  readonly bars: Step | null;
  readonly compare: readonly { readonly compare: Compare; readonly shift: Shift }[];
  readonly zone: string;
  readonly widthPx: number;
}

export interface Shown {
  readonly question: Question;
  readonly picture: Picture;
  readonly answer: SeriesAnswer;
  readonly compared: readonly Compared[];
  /** What was drawn when single readings were; null for buckets. */
  readonly readings: readonly ReadingsAnswer[] | null;
}

interface Told {
  readonly answer: SeriesAnswer;
  readonly readings: readonly ReadingsAnswer[] | null;
  readonly compared: readonly Compared[];
}

const KEPT = 24;
const SLOW_MS = 5000;
/** How often an empty answer is asked for again, and after how many of these one that reaches into the present. */
const REST_MS = 5000;
const AGAIN_EVERY = 3;
/** A server that cannot answer yet and says when it can is asked again so often before that is called trouble. */
const NOT_YET_TIMES = 10;

function isEmpty({ answer }: { readonly answer: SeriesAnswer }): boolean {
  return answer.points.every((point) => point.readings === 0);
}

export function useSeries(question: Readonly<Ref<Question>>, looks: Readonly<Ref<ReadonlyMap<number, Look>>>) {
  const shown = shallowRef<Shown | null>(null);
  const busy = shallowRef(false);
  const trouble = shallowRef<unknown>(null);
  /** The answer is late: the question may be given up. */
  const slow = shallowRef(false);
  let slowTimer = 0;
  let notYetTimer = 0;
  const kept = new Map<string, Told>();
  const rates = new Map<number, number>();
  let asking = new AbortController();

  function drawing(asked: Question): Drawing {
    return { points: asked.points, looks: looks.value, zone: zoneOf(asked.zone), now: nowMs() };
  }

  function show(asked: Question, told: Told): void {
    const how = drawing(asked);
    const { answer, readings, compared } = told;
    const picture = asked.bars
      ? barPicture(answer, how, asked.span, compared)
      : readings
        ? readingsPicture(readings, how, asked.span)
        : linePicture(answer, how, asked.span, compared);
    shown.value = { question: asked, picture, answer, compared, readings };
  }

  /** The shortest bucket that means something: a counter read each minute has no power for a second. */
  function leastSeconds(asked: Question): number {
    const counters = asked.points.filter((point) => hasAmount(point) && !isPower(point));
    return Math.max(0, ...counters.map((point) => 1 / (1000 * (rates.get(point.id) || 1 / 60_000))));
  }

  /** True when single readings are fewer than the buckets there is room for. */
  function readsSingly(asked: Question, buckets: number): boolean {
    if (asked.bars || asked.compare.length > 0 || asked.points.length === 0) return false;
    const lengthMs = asked.span.to - asked.span.from;
    return asked.points.every((point) => {
      const rate = rates.get(point.id);
      return (isPower(point) || !hasAmount(point)) && rate !== undefined && rate > 0 && rate * lengthMs <= buckets;
    });
  }

  async function fetchReadings(asked: Question, signal: AbortSignal): Promise<ReadingsAnswer[] | null> {
    const answers = await Promise.all(
      asked.points.map(async (point) => {
        const marginMs = Math.min(3 / (rates.get(point.id) ?? 1), 3_600_000);
        const wide = { from: Math.floor(asked.span.from - marginMs), to: Math.ceil(asked.span.to + marginMs) };
        const told = await askReadings(point.id, wide, 2 * MOST_BUCKETS, signal);
        return { ...told, value: told.value.map((value) => toBase(point, told.unit, value)) };
      }),
    );
    return answers.some((answer) => answer.more) ? null : answers;
  }

  async function ask(asked: Question, signal: AbortSignal): Promise<Told> {
    const ids = asked.points.map((point) => point.id);
    const buckets = bucketsFor(asked.widthPx, devicePixelRatio);
    const step = asked.bars ?? lineStep(asked.span, buckets, leastSeconds(asked));
    const zone = zoneOf(asked.zone);
    const early = readsSingly(asked, buckets);
    const [answer, first, ...compared] = await Promise.all([
      askSeries(ids, asked.span, { step }, signal),
      early ? fetchReadings(asked, signal) : null,
      ...asked.compare.map(async ({ compare, shift }): Promise<Compared> => {
        const span = { from: counterpart(asked.span.from, shift, zone), to: counterpart(asked.span.to, shift, zone) };
        return { compare, shift, answer: await askSeries(ids, span, { step }, signal) };
      }),
    ]);
    for (const id of ids) {
      const rate = rateOf(answer, id);
      if (rate > 0) rates.set(id, rate);
    }
    const readings = first ?? (!early && readsSingly(asked, buckets) ? await fetchReadings(asked, signal) : null);
    return { answer, readings, compared };
  }

  const key = computed(() => {
    const { points, span, bars, compare, zone, widthPx } = question.value;
    return JSON.stringify([points.map((point) => [point.id, point.kind, point.unit]), span, bars, compare, zone, bucketsFor(widthPx, devicePixelRatio)]);
  });

  async function load(fresh: boolean, patience = NOT_YET_TIMES): Promise<void> {
    if (patience === NOT_YET_TIMES) giveUp();
    const asked = question.value;
    const named = key.value;
    trouble.value = null;
    if (asked.points.length === 0 || asked.widthPx === 0) {
      shown.value = null;
      busy.value = false;
      return;
    }
    const known = kept.get(named);
    if (known) show(asked, known);
    if (known && !fresh) {
      busy.value = false;
      return;
    }
    const { signal } = (asking = new AbortController());
    busy.value = true;
    if (patience === NOT_YET_TIMES) slowTimer = window.setTimeout(() => (slow.value = true), SLOW_MS);
    try {
      const told = await ask(asked, signal);
      if (signal.aborted) return;
      remember(named, told, asked.span);
      show(asked, told);
      giveUp();
    } catch (error) {
      if (withdrawn(error) || signal.aborted) return;
      if (error instanceof Refused && error.status === 503 && error.retryAfterS > 0 && patience > 0) {
        notYetTimer = window.setTimeout(() => void load(fresh, patience - 1), 1000 * error.retryAfterS);
        return;
      }
      giveUp();
      if (!expired(error)) trouble.value = error;
    }
  }

  /** Withdraws the question; what is drawn stays. */
  function giveUp(): void {
    window.clearTimeout(slowTimer);
    window.clearTimeout(notYetTimer);
    asking.abort();
    busy.value = false;
    slow.value = false;
  }

  /** What reaches into the present changes, and what is empty may be on its way, so neither is kept. */
  function remember(named: string, told: Told, span: Span): void {
    if (span.to > nowMs() || isEmpty(told)) return;
    kept.delete(named);
    kept.set(named, told);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value as string);
  }

  watch(key, () => void load(false), { immediate: true });
  watch(looks, () => {
    const now = shown.value;
    if (now) show(now.question, now);
  });

  let rests = 0;
  const timer = window.setInterval(() => {
    if (document.visibilityState !== "visible" || busy.value || trouble.value) return;
    const empty = shown.value !== null && isEmpty(shown.value);
    rests = (rests + 1) % AGAIN_EVERY;
    if (empty || (rests === 0 && question.value.span.to > nowMs())) void load(true);
  }, REST_MS);
  onBeforeUnmount(() => {
    window.clearInterval(timer);
    giveUp();
  });

  const picture = computed(() => shown.value?.picture ?? EMPTY_PICTURE);
  return { shown, picture, busy, slow, trouble, giveUp, reload: () => load(true) };
}
