"""Creating requests with an Idempotency-Key are done once: a repetition gets the first answer, without its secrets."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar.response import Response

from wattstead.web.access.gate import AnyRequest
from wattstead.web.access.viewer import Viewer
from wattstead.web.problem import invalid
from wattstead.web.rooms import Rooms

_LONGEST = 200
_SECRETS = frozenset({"secret", "token", "link"})
"""Fields that are shown once and kept nowhere."""


async def once(
    request: AnyRequest, rooms: Rooms, viewer: Viewer, make: Callable[[], Awaitable[Response[Any]]]
) -> Response[Any]:
    """The answer of ``make``, or that of the same request before; without the header just ``make``'s."""
    token = request.headers.get("Idempotency-Key", "")
    if not token or viewer.account is None:
        return await make()
    if len(token) > _LONGEST or not token.isascii() or not token.isprintable():
        raise invalid("Idempotency-Key", f"has {len(token)} characters; give up to {_LONGEST} printable ASCII ones")
    who, run = viewer.account.id, rooms.registry_threads.run
    told = f"{request.method} {request.scope['path']}\n".encode() + await request.body()
    known = await run(rooms.registry.begin_request, who, token, hashlib.sha256(told).digest())
    if known is not None:
        return Response(known.body, status_code=known.status, media_type="application/json")
    try:
        answer = await make()
    except BaseException:
        await run(rooms.registry.forget_request, who, token)
        raise
    body = msgspec.json.encode(_without_secrets(msgspec.to_builtins(answer.content)))
    await run(rooms.registry.finish_request, who, token, answer.status_code or 201, body)
    return answer


def _without_secrets(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: "" if name in _SECRETS and value else _without_secrets(value) for name, value in told.items()}
    return [_without_secrets(one) for one in told] if isinstance(told, list) else told
