"""Questions to the directory as they stand in an address: ``?city=Lyon&area_m2.from=50&tag.roof=south&sort=name``.

``x=a&x=b`` is one of several; ``x.prefix``, ``x.contains``, ``x.from``, ``x.to`` and ``x.empty=yes|no`` are the other
conditions.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from wattstead.registry.places.directory.directory import LONGEST_PAGE, Question
from wattstead.registry.records import Asks, Filter
from wattstead.web.access.gate import AnyRequest, require_once
from wattstead.web.problem import invalid

_OWN = frozenset({"q", "sort", "order", "limit", "cursor"})
_ENDINGS = {f".{one.value}": one for one in Asks}
_ALIASES = {"organization": "branch", "site": "site_id"}


def question_of(request: AnyRequest, ignored: Iterable[str] = ()) -> Question:
    """The question in the address of a request; raises `Refused`."""
    require_once(request, {*_OWN, *ignored, "tag"})
    told: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name not in ignored:
            told.setdefault(name, []).append(value)
    own = {name: told.pop(name)[0] for name in _OWN if name in told}
    order = own.get("order", "asc")
    if order not in ("asc", "desc"):
        raise invalid("order", f"is {order[:20]!r}; give asc or desc")
    limit = own.get("limit", "50")
    if not (limit.isascii() and limit.isdecimal() and len(limit) < 6 and 1 <= int(limit) <= LONGEST_PAGE):
        raise invalid("limit", f"is {limit[:20]!r}; give 1 to {LONGEST_PAGE}")
    return Question(
        filters=_filters(told),
        q=own.get("q", ""),
        sort=own.get("sort", "name"),
        descending=order == "desc",
        limit=int(limit),
        cursor=own.get("cursor", ""),
    )


def filters_beside(request: AnyRequest, own: Container[str]) -> tuple[Filter, ...]:
    """The filters of a request whose ``own`` parameters are taken elsewhere; raises `Refused`."""
    require_once(request, own)
    told: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name not in own:
            told.setdefault(name, []).append(value)
    return _filters(told)


def _filters(told: Mapping[str, list[str]]) -> tuple[Filter, ...]:
    return tuple(_filter(name, values) for name, values in told.items())


def _filter(name: str, values: list[str]) -> Filter:
    if name == "tag":  # tag=roof=south, or tag=roof: any value
        key, _, value = values[0].partition("=")
        return Filter(f"tag.{key}", Asks.IN if value else Asks.EMPTY, (value or "no",))
    if not name.startswith("tag.") or name.count(".") > 1:
        for ending, asks in _ENDINGS.items():
            if name.endswith(ending):
                return Filter(_named(name.removesuffix(ending)), asks, tuple(values))
    return Filter(_named(name), Asks.IN, tuple(values))


def _named(name: str) -> str:
    return _ALIASES.get(name, name)
