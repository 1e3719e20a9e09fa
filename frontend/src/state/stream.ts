/** The live stream of a page: newest value of each point, and every batch to whoever draws. */

import { shallowRef } from "vue";

import { listen } from "../api/live";
import type { ApiPoint, Latest, LiveReadings } from "../api/types";

export interface Stream {
  readonly latest: ReturnType<typeof shallowRef<ReadonlyMap<number, Latest>>>;
  /** False while the stream is being opened again. */
  readonly connected: ReturnType<typeof shallowRef<boolean>>;
  onReadings(hear: (batch: LiveReadings) => void): () => void;
  /** The stream began anew: what came in between has to be asked for. */
  onOpened(hear: () => void): () => void;
  close(): void;
}

/** Opens the stream of those points, beginning with the values already known. */
export function openStream(points: readonly ApiPoint[]): Stream {
  const newest = new Map<number, Latest>();
  for (const point of points) if (point.latest) newest.set(point.id, point.latest);
  const latest = shallowRef<ReadonlyMap<number, Latest>>(new Map(newest));
  const connected = shallowRef<boolean | undefined>(undefined);
  const readers = new Set<(batch: LiveReadings) => void>();
  const openers = new Set<() => void>();
  let shown = 0;

  const show = () => {
    shown = 0;
    latest.value = new Map(newest);
  };

  const stop = points.length === 0 ? () => {} : listen(points.map((point) => point.id), {
    readings: (batch) => {
      batch.point.forEach((id, i) => {
        const time = batch.time[i] as number;
        const known = newest.get(id);
        if (!known || time >= known.time) newest.set(id, { time, value: batch.value[i] as number });
      });
      for (const hear of readers) hear(batch);
      if (!shown) shown = window.setTimeout(show, 100);
    },
    opened: () => {
      const again = connected.value !== undefined;
      connected.value = true;
      if (again) for (const hear of openers) hear();
    },
    lost: () => (connected.value = false),
  });

  const subscribe = <Hear>(set: Set<Hear>) => (hear: Hear) => {
    set.add(hear);
    return () => set.delete(hear);
  };

  return {
    latest: latest as Stream["latest"],
    connected: connected as Stream["connected"],
    onReadings: subscribe(readers),
    onOpened: subscribe(openers),
    close: () => {
      window.clearTimeout(shown);
      stop();
    },
  };
}
