"""POST /api/v1/write: Prometheus' own address for remote write; a write key as Bearer or as Basic password."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from functools import partial

from wattstead.ingest.errors import FormatUnknown, IngestError
from wattstead.ingest.http.asgi import Answer, Request, answer
from wattstead.ingest.http.routes import Route
from wattstead.ingest.prometheus.decode import decode, unpacked
from wattstead.ingest.reception import Kept, Reception

_FORM = "application/x-protobuf"
_TEXT = b"text/plain; charset=utf-8"
_LISTED = 20


def routes(reception: Reception) -> Sequence[Route]:
    """The one route."""
    return [Route("/api/v1/write", ("POST",), partial(_post, reception), refuse)]


async def _post(reception: Reception, request: Request) -> Answer:
    limits = reception.limits
    key = _key(request.header(b"authorization"))
    grant = reception.grant(key, "as Authorization: Bearer KEY or as Basic password", request.clear, request)
    _check_form(request)
    body = unpacked(await request.body(limits.body_bytes), limits.unpacked_bytes)
    request.hold(len(body))
    columns = await reception.read(body, decode)
    request.hold(40 * len(columns))
    return _answer(await reception.keep(grant, columns))


def _check_form(request: Request) -> None:
    """Raise `FormatUnknown` for anything but version 1, which is what senders fall back to when they hear 415."""
    form, _, about = request.header(b"content-type").partition(";")
    if form.strip().lower() != _FORM or "v2" in about:
        raise FormatUnknown("Content-Type", request.header(b"content-type")[:100], f"{_FORM} of remote write 1.0")
    encoding = request.header(b"content-encoding").strip().lower()
    if encoding != "snappy":
        raise FormatUnknown("Content-Encoding", encoding[:100], "snappy")


def _key(told: str) -> str:
    kind, _, secret = told.partition(" ")
    if kind.lower() == "basic":
        try:
            user, _, password = base64.b64decode(secret, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return password or user
    return secret.strip() if kind.lower() in ("bearer", "token") else ""


def _answer(kept: Kept) -> Answer:
    """204; where some could not be kept 400, which tells the sender not to send them again."""
    rejected = kept.rejected
    if not rejected:
        return answer(204, b"", _TEXT)
    lines = [f"{kept.accepted} kept, {rejected.count} rejected"]
    lines += [f"{one.place}: {one.reason}" for one in rejected.listed[:_LISTED]]
    return answer(400, "\n".join(lines).encode(), _TEXT)


def refuse(error: IngestError) -> Answer:
    """An error as a line of text, as senders write it into their logs."""
    more = [(b"retry-after", b"%d" % max(1, round(error.retry_after_s)))] if error.retry_after_s else []
    return answer(error.status, str(error).encode(), _TEXT, more)
