/** The live stream of some points: opened, watched, opened again after a loss; says when it begins anew. */

import { connectionGood } from "../state/connection";
import { address } from "./client";
import type { LiveReadings } from "./types";

export interface LiveListener {
  readings(batch: LiveReadings): void;
  /** The stream (re)opened after `silentMs`: what came in between has to be asked for. */
  opened(silentMs: number): void;
  lost(): void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** Listens until the returned function is called. */
export function listen(points: readonly number[], listener: LiveListener): () => void {
  let source: EventSource | null = null;
  let waitMs = FIRST_WAIT_MS;
  let timer = 0;
  let heardMs = Date.now();
  let ended = false;

  const open = () => {
    if (ended) return;
    source = new EventSource(address("api/v1/live", { points }));
    source.onopen = () => {
      waitMs = FIRST_WAIT_MS;
      connectionGood();
      listener.opened(Date.now() - heardMs);
      heardMs = Date.now();
    };
    source.addEventListener("readings", (event) => {
      heardMs = Date.now();
      listener.readings(JSON.parse((event as MessageEvent<string>).data) as LiveReadings);
    });
    source.onerror = () => {
      listener.lost();
      source?.close();
      timer = window.setTimeout(open, waitMs);
      waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
    };
  };

  /** A laptop that slept, or a tab that was hidden, holds a stream that may be dead without knowing. */
  const woke = () => {
    if (document.visibilityState !== "visible" || Date.now() - heardMs < 30_000) return;
    window.clearTimeout(timer);
    source?.close();
    open();
  };

  const backOnline = () => {
    window.clearTimeout(timer);
    source?.close();
    waitMs = FIRST_WAIT_MS;
    open();
  };

  document.addEventListener("visibilitychange", woke);
  window.addEventListener("online", backOnline);
  open();
  return () => {
    ended = true;
    window.clearTimeout(timer);
    source?.close();
    document.removeEventListener("visibilitychange", woke);
    window.removeEventListener("online", backOnline);
  };
}
