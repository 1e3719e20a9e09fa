"""How the parts of one process are doing, in a sentence and figures each; asks them, changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from wattstead.ingest.http.app import IngestApp
from wattstead.ingest.sources.running import Sources
from wattstead.ingest.sources.sight import TROUBLED
from wattstead.refining.refinery import Refinery
from wattstead.registry.registry import Registry
from wattstead.store.supervise import StoreProcess
from wattstead.stream import Journal
from wattstead.web.rooms import StatusPart

_BEHIND_S = 30.0
_SILENT_S = 120.0


def edges_part(registry: Registry) -> StatusPart:
    """The machines on site: how many are silent, behind, or run another configuration than they should."""
    joined = [one for one in registry.edges() if one.joined is not None and one.enabled]
    now = datetime.now(UTC)
    silent = [
        one for one in joined if one.last_seen is None or (now - one.last_seen).total_seconds() > _SILENT_S
    ]  # fmt: skip
    refused = [one for one in joined if one.health.refused]
    short = [one for one in joined if one.health.thinned or one.health.lost]
    text = "every edge has been heard of" if joined else "there are no edges"
    if short:
        text = f"edge {short[-1].id} ({short[-1].name}) thinned readings: {short[-1].health.thinned_why}"
    if refused:
        text = f"edge {refused[-1].id} ({refused[-1].name}) took a configuration back: {refused[-1].health.refused_why}"
    if silent:
        text = f"{len(silent)} of {len(joined)} edges are silent, among them edge {silent[-1].id} ({silent[-1].name})"
    figures = {
        "edges": float(len(joined)),
        "silent": float(len(silent)),
        "waiting_bytes": float(sum(one.health.waiting_bytes for one in joined)),
        "most_behind_s": max((one.health.behind_s for one in joined), default=0.0),
        "thinned": float(sum(one.health.thinned for one in joined)),
        "lost": float(sum(one.health.lost for one in joined)),
        "dead_letters": float(sum(one.health.letters for one in joined)),
    }
    return StatusPart("edges", not silent and not refused, text, figures)


def status_parts(
    door: IngestApp, sources: Sources, journal: Journal, refinery: Refinery, store: StoreProcess | None
) -> list[StatusPart]:
    """Door, sources, journal, refinery and store, in the order a reading passes them."""
    parts = [_ingest(door), _sources(sources), _journal(journal), refining_part(refinery)]
    return parts if store is None else [*parts, _store(store)]


def _ingest(door: IngestApp) -> StatusPart:
    tally = door.reception.tally
    text = (
        f"some readings could not be kept, the last: {tally.last}" if tally.last else "readings are kept as they come"
    )
    if tally.shown_keys:
        key = next(reversed(tally.shown_keys))
        text = f"key {key} was refused, for it came without TLS and may not: replace it, use https; {text}"
    figures = {
        "rejected_readings": float(tally.rejected_readings),
        "refused_requests": float(tally.refused_requests),
        "keys_refused_without_tls": float(len(tally.shown_keys)),
    }
    return StatusPart("ingest", True, text, figures)


def _sources(sources: Sources) -> StatusPart:
    sights = sources.sights()
    troubled = {source_id: one for source_id, one in sights.items() if one.state in TROUBLED}
    held = sum(bool(one.waiting_for) for one in sights.values())
    text = "every source that is switched on is connected"
    if troubled:
        source_id, last = max(troubled.items(), key=lambda pair: pair[1].failed_us)
        text = (
            f"{len(troubled)} of {len(sights)} sources are in trouble, the last: source {source_id} "
            f"({sources.named(source_id)}): {last.last_error}"
        )
    elif held:
        text = f"{held} of {len(sights)} sources are slowed or wait"
    elif not sights:
        text = "there are no sources"
    figures = {
        "sources": float(len(sights)),
        "in_trouble": float(len(troubled)),
        "held_up": float(held),
        "faults": float(sum(one.faults for one in sights.values())),
        "dead_letters": float(sum(one.letters for one in sights.values())),
        "dead_letters_lost": float(sum(one.letters_lost for one in sights.values())),
        "readings_per_s": sum(one.rate_per_s for one in sights.values()),
    }
    return StatusPart("sources", not troubled, text, figures)


def _journal(journal: Journal) -> StatusPart:
    broken = journal.broken
    return StatusPart(
        "journal",
        broken is None,
        "senders are answered" if broken is None else f"senders get 503: {broken}",
        {"unconsumed_bytes": float(journal.unconsumed_bytes)},
    )


def refining_part(refinery: Refinery) -> StatusPart:
    """How readings reach the store; what stands in the way of them all is said in the store's own words."""
    state = refinery.state
    if state.stands_still:
        text = f"readings wait in the journal: {state.last_error}"
    elif state.last_error:
        text = f"readings reach the store, and what is done beside is tried again: {state.last_error}"
    elif state.lag_s > _BEHIND_S:
        text = f"{state.lag_s:.0f} s behind the senders"
    else:
        text = "readings reach the store and the rollups"
    figures = {
        "lag_bytes": float(state.lag_bytes),
        "lag_s": state.lag_s,
        "stored_readings": float(state.stored_rows),
        "waiting_readings": float(state.waiting_rows),
        "replaced_readings": float(state.replaced_rows),
        "late_spans": float(state.dirty_spans),
        "failed_tries": float(state.failed_tries),
    }
    figures |= {f"refused_{reason}": float(count) for reason, count in state.refused.items()}
    well = state.running and not state.last_error and state.lag_s <= _BEHIND_S
    return StatusPart("refining", well, text, figures)


def _store(store: StoreProcess) -> StatusPart:
    text = "answers" if store.alive else "is being started again; readings wait in the journal"
    return StatusPart("store", store.alive, text, {"restarts": float(store.restarts)})
