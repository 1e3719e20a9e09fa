"""The cookies of sessions: which attributes they have; what is behind them is the registry's."""

from __future__ import annotations

from litestar.datastructures import Cookie

from wattstead.web.access.gate import COOKIE, SHARE_COOKIE, AnyRequest

RETURN = "wattstead_return"
"""The own session of an administrator who looks through somebody's eyes."""
_SESSION_S = 14 * 86_400
_RETURN_S = 3_600


def session_cookie(request: AnyRequest, token: str) -> Cookie:
    """Carries a session; an empty token ends it."""
    return cookie(request, COOKIE, token, _SESSION_S if token else 0)


def return_cookie(request: AnyRequest, token: str) -> Cookie:
    """Carries the session to come back to; an empty token ends it."""
    return cookie(request, RETURN, token, _RETURN_S if token else 0)


def share_cookie(request: AnyRequest, token: str) -> Cookie:
    """Carries a link's token; an empty one ends it."""
    return cookie(request, SHARE_COOKIE, token, _SESSION_S if token else 0)


def cookie(request: AnyRequest, name: str, token: str, age_s: int) -> Cookie:
    """A cookie that no script reads and no other site's page sends along, for this path prefix alone."""
    path = str(request.scope.get("wattstead_prefix", "")) + "/"
    secure = request.scope.get("scheme") == "https" or request.headers.get("Origin", "").startswith("https:")
    return Cookie(key=name, value=token, path=path, max_age=age_s, httponly=True, samesite="lax", secure=secure)
