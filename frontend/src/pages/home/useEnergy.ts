/** Today's and this month's energy beside the day and month before, asked again each minute. */

import { onBeforeUnmount, shallowRef, watch } from "vue";
import type { Ref } from "vue";

import { askSeries } from "../../api/questions";
import { withdrawn } from "../../api/client";
import type { ApiPoint } from "../../api/types";
import { nowMs } from "../../state/connection";
import { dayOf, plusDays, plusMonths, startOfDay } from "../../time/period";
import { zoneOf } from "../../time/zone";
import type { Progress } from "../../view/home";
import { progress } from "../../view/home";

export interface Energy {
  readonly today: Progress;
  readonly month: Progress;
  /** Hours of today, days of this month. */
  readonly hours: number;
  readonly days: number;
  /** Greatest power since the month before began; null when none was read. */
  readonly highest: number | null;
}

const MOST_PARTS = 50;

export function useEnergy(point: Readonly<Ref<ApiPoint | null>>, parts: Readonly<Ref<readonly ApiPoint[]>>, zoneName: Readonly<Ref<string>>) {
  /** Today's energy of each part; empty where none was told yet. */
  const partsWh = shallowRef<ReadonlyMap<number, number>>(new Map());
  const energy = shallowRef<Energy | null>(null);
  const trouble = shallowRef<unknown>(null);
  let asking = new AbortController();

  async function load(): Promise<void> {
    asking.abort();
    const { signal } = (asking = new AbortController());
    const of = point.value;
    if (!of) return;
    const zone = zoneOf(zoneName.value);
    const now = nowMs();
    const day = dayOf(now, zone);
    const dayStart = startOfDay(day, zone);
    const dayEnd = startOfDay(plusDays(day, 1), zone);
    const first = { ...day, day: 1 };
    const monthStart = startOfDay(first, zone);
    const monthEnd = startOfDay(plusMonths(first, 1), zone);
    const ids = parts.value.filter((part) => part.amount_unit === "Wh").map((part) => part.id).slice(0, MOST_PARTS);
    try {
      const [hours, days, today] = await Promise.all([
        askSeries([of.id], { from: startOfDay(plusDays(day, -1), zone), to: dayEnd }, { step: "1h" }, signal),
        askSeries([of.id], { from: startOfDay(plusMonths(first, -1), zone), to: monthEnd }, { step: "day" }, signal),
        ids.length > 0 ? askSeries(ids, { from: dayStart, to: dayEnd }, { step: "day" }, signal) : null,
      ]);
      partsWh.value = new Map(today?.points.flatMap((part) => (part.amount_total === null ? [] : [[part.id, part.amount_total]])));
      const most = (days.points[0]?.max ?? []).filter((value) => value !== null);
      energy.value = {
        today: progress(hours, of.id, dayStart, now),
        month: progress(days, of.id, monthStart, now),
        hours: Math.round((dayEnd - dayStart) / 3_600_000),
        days: Math.round((monthEnd - monthStart) / 86_400_000),
        highest: most.length > 0 ? Math.max(...most) : null,
      };
      trouble.value = null;
    } catch (error) {
      if (!withdrawn(error)) trouble.value = error;
    }
  }

  const timer = window.setInterval(() => {
    if (document.visibilityState === "visible") void load();
  }, 60_000);
  watch([() => point.value?.id, () => parts.value.map((part) => part.id).join(), zoneName], () => {
    energy.value = null;
    partsWh.value = new Map();
    void load();
  }, { immediate: true });
  onBeforeUnmount(() => {
    window.clearInterval(timer);
    asking.abort();
  });
  return { energy, partsWh, trouble, load };
}
