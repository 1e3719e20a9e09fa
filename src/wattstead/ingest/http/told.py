"""What a sender of readings is told as JSON: how many were accepted and what was wrong with others, or a problem."""

from __future__ import annotations

import secrets

import msgspec

from wattstead.ingest.errors import IngestError
from wattstead.ingest.http.asgi import Answer, answer
from wattstead.ingest.http.routes import Unexpected
from wattstead.ingest.reception import Kept
from wattstead.metering.errors import Issue

_PROBLEM = b"application/problem+json"
_TITLES = {
    400: "The request cannot be understood",
    401: "A write key is needed",
    403: "Not allowed",
    405: "This method is not supported here",
    408: "The request took too long",
    413: "The request is too large",
    415: "This format is not read here",
    422: "None of the readings could be kept",
    429: "Too many readings",
    500: "Something went wrong here",
    503: "Not available right now",
}


class _Accepted(msgspec.Struct):
    accepted: int
    rejected: list[Issue]


class _Problem(msgspec.Struct):
    title: str
    status: int
    detail: str
    request: str
    type: str = "about:blank"
    accepted: int | msgspec.UnsetType = msgspec.UNSET
    rejected: list[Issue] | msgspec.UnsetType = msgspec.UNSET
    rejected_count: int | msgspec.UnsetType = msgspec.UNSET


def refuse(error: IngestError) -> Answer:
    """An error as problem+json."""
    number = error.request if isinstance(error, Unexpected) else secrets.token_hex(6)
    problem = _Problem(_TITLES.get(error.status, "The request failed"), error.status, str(error), number)
    more = [(b"x-request-id", number.encode())]
    if error.retry_after_s:
        more.append((b"retry-after", b"%d" % max(1, round(error.retry_after_s))))
    if error.status == 401:
        more.append((b"www-authenticate", b'Bearer realm="wattstead"'))
    return answer(error.status, msgspec.json.encode(problem), _PROBLEM, more)


def answered(kept: Kept) -> Answer:
    """What became of the readings of a body; 422 where none could be kept."""
    rejected = kept.rejected
    if kept.accepted or not rejected:
        return answer(200, msgspec.json.encode(_Accepted(kept.accepted, rejected.listed)))
    first = rejected.listed[0]
    number = secrets.token_hex(6)
    problem = _Problem(
        _TITLES[422],
        422,
        f"{rejected.count} rejected; {first.place}: {first.reason}",
        number,
        accepted=0,
        rejected=rejected.listed,
        rejected_count=rejected.count,
    )
    return answer(422, msgspec.json.encode(problem), _PROBLEM, [(b"x-request-id", number.encode())])
