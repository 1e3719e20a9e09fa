"""Versions of things in ETag and If-Match (RFC 9110), so that nobody overwrites what they have not seen."""

from __future__ import annotations

import re

from wattstead.web.access.gate import AnyRequest
from wattstead.web.problem import Refused

_TAG = re.compile(r'"(\d{1,18})"')


def tag(version: int) -> dict[str, str]:
    """The header that tells a version.

    >>> tag(3)
    {'ETag': '"3"'}
    """
    return {"ETag": f'"{version}"'}


def expected(request: AnyRequest) -> int:
    """The version that a change was made to; raises `Refused` with 428 without one, 412 for one that is none."""
    told = request.headers.get("If-Match", "").strip()
    if not told:
        raise Refused(428, "send the version that the change was made to: If-Match, with the ETag of the last answer")
    found = _TAG.fullmatch(told.removeprefix("W/"))
    if found is None:
        raise Refused(412, "If-Match holds no version of this thing; look at it again", code="stale")
    return int(found.group(1))
