"""Errors as ``application/problem+json`` with a request number; decides the status, never the wording of a room."""

from __future__ import annotations

import re
import traceback

import msgspec
import structlog
from litestar import Request
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Response

from wattstead.ingest.errors import IngestError
from wattstead.ingest.sources.forms import SettingsInvalid
from wattstead.metering.errors import Issue, WattsteadError
from wattstead.metering.quantity import UnitError
from wattstead.registry.errors import (
    AccountNotActive,
    AddressTaken,
    AttributeInvalid,
    Conflict,
    EmailTaken,
    KeyInvalid,
    LinkInvalid,
    LoginBusy,
    LoginFailed,
    LoginLimited,
    NameInvalid,
    NotTold,
    PasswordInvalid,
    PointInvalid,
    ProofInvalid,
    RegistryUnavailable,
    RoleRefused,
    SecondFactorMissing,
    Stale,
    TemplateInvalid,
    TemplateTaken,
    Unknown,
    ZoneUnknown,
)
from wattstead.series.errors import AnswerTooLarge, TooManyBuckets
from wattstead.web.allowed import allowed

PROBLEM = "application/problem+json"
_MISSING = re.compile(r"Missing required \w+ parameter '(\w+)'")
_log = structlog.get_logger("wattstead.web")

_TITLES = {
    400: "The request cannot be understood",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "This method is not supported here",
    409: "This cannot be, as things are",
    412: "Changed meanwhile",
    413: "The request is too large",
    428: "Say which version is to be changed",
    429: "Too many requests",
    500: "Something went wrong here",
    503: "Not available right now",
}
_STATUS: dict[type[WattsteadError], int] = {
    Unknown: 404,
    AccountNotActive: 403,
    RoleRefused: 403,
    NotTold: 403,
    LinkInvalid: 404,
    EmailTaken: 409,
    Stale: 412,
    TemplateTaken: 409,
    AddressTaken: 409,
    TemplateInvalid: 400,
    LoginFailed: 401,
    LoginLimited: 429,
    LoginBusy: 503,
    RegistryUnavailable: 503,
    AttributeInvalid: 400,
    Conflict: 409,
    NameInvalid: 400,
    PasswordInvalid: 400,
    PointInvalid: 400,
    ProofInvalid: 400,
    KeyInvalid: 400,
    ZoneUnknown: 400,
    UnitError: 400,
    TooManyBuckets: 400,
    AnswerTooLarge: 400,
}
_CODES: dict[type[WattsteadError], tuple[str, tuple[str, ...]]] = {
    AccountNotActive: ("account.closed", ()),
    AttributeInvalid: ("", ("name", "least", "most")),
    EmailTaken: ("email.taken", ("email",)),
    LinkInvalid: ("link.ended", ()),
    LoginBusy: ("busy", ("retry_after_s",)),
    LoginLimited: ("limited", ("retry_after_s",)),
    NameInvalid: ("", ("noun", "most")),
    PasswordInvalid: ("password.length", ("length", "shortest", "longest")),
    RegistryUnavailable: ("busy", ("retry_after_s",)),
    SecondFactorMissing: ("", ()),
    LoginFailed: ("login.failed", ()),
    Stale: ("stale", ()),
    TemplateTaken: ("template.taken", ("name", "revision")),
    Unknown: ("not_found", ()),
}
"""The code of each error that pages word in their own languages, and its figures; an error may have one itself."""


class Problem(msgspec.Struct, omit_defaults=True):
    """An error as RFC 9457 wants it; ``request`` is the number to quote when asking for help."""

    type: str
    title: str
    status: int
    detail: str
    request: str
    places: list[Issue] = []
    """Which parts of the request are wrong, and why."""
    code: str = ""
    """What is wrong, in a word that stays the same while sentences may be reworded; empty: only the detail says it."""
    figures: dict[str, str | float] = {}
    """What the code speaks of: lengths, limits, names."""
    second_factor: bool = False
    """The password is right, and a code is asked for."""


class Refused(WattsteadError):
    """A request that is answered with this status and sentence."""

    def __init__(
        self,
        status: int,
        detail: str,
        places: list[Issue] | None = None,
        retry_after_s: float = 0,
        code: str = "",
        **figures: str | float,
    ) -> None:
        self.status, self.places, self.retry_after_s = status, places or [], retry_after_s
        self.code, self.figures = code, figures
        super().__init__(detail)


def invalid(place: str, reason: str) -> Refused:
    """The refusal of one argument.

    >>> invalid("start", "is missing").status
    400
    """
    return Refused(400, f"{place}: {reason}", [Issue(place, reason)])


def not_found(noun: str, identity: object) -> Refused:
    """The refusal of something that does not exist, or is not the caller's to see: the two look alike."""
    return Refused(404, f"{noun} {identity} does not exist, or is not yours to see", code="not_found")


def request_number(request: Request) -> str:  # type: ignore[type-arg]
    """The number of this request, as it also stands in the answer's ``X-Request-Id``."""
    return str(request.scope.get("wattstead_request", ""))


def answer(request: Request, error: Exception) -> Response[Problem]:  # type: ignore[type-arg]
    """The answer that tells of any exception."""
    status, places = status_of(error), list[Issue]()
    number = request_number(request)
    detail = str(error)
    if isinstance(error, ValidationException):
        missing = _MISSING.match(error.detail)
        told = [row for row in error.extra or [] if isinstance(row, dict)]
        places = [Issue(_place(request, row), _reason(request, row)) for row in told]
        places += [Issue(missing.group(1), "is missing")] if missing else []
        detail = "; ".join(f"{p.place}: {p.reason}" for p in places) or error.detail
    elif isinstance(error, HTTPException):
        detail = error.detail
    elif isinstance(error, Refused | SettingsInvalid):
        places = error.places
    elif isinstance(error, RecursionError):
        detail = "the body is nested too deeply"
    elif isinstance(error, UnicodeDecodeError):
        detail = f"the body has a text that is not UTF-8: {error.reason} at its byte {error.start}"
    elif status == 500:
        _log.error("request failed", request=number, path=request.scope.get("path", ""), trace=trace(error))
        detail = f"the server could not answer; its log has the cause under request {number}"
    problem = Problem("about:blank", _TITLES.get(status, "The request failed"), status, detail, number, places)
    problem.code, problem.figures = code_of(error)
    problem.second_factor = isinstance(error, SecondFactorMissing)
    return Response(problem, status_code=status, media_type=PROBLEM, headers=_headers(error, status))


def trace(error: Exception) -> str:
    """Where an exception came from, for the log; without the values of variables, which may be secrets."""
    return "".join(traceback.format_exception(error))


def status_of(error: Exception) -> int:
    """The status that tells of an exception.

    >>> status_of(LoginFailed())
    401
    """
    if isinstance(error, Refused):
        return error.status
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, RecursionError | UnicodeDecodeError):
        return 400
    if isinstance(error, IngestError):
        return error.status
    for kind, status in _STATUS.items():
        if isinstance(error, kind):
            return status
    return 503 if isinstance(error, WattsteadError) and error.retryable else 500


def code_of(error: Exception) -> tuple[str, dict[str, str | float]]:
    """The code of an exception and its figures; empty where only its sentence says what is wrong.

    >>> code_of(PasswordInvalid(3, 10, 200))
    ('password.length', {'length': 3, 'shortest': 10, 'longest': 200})
    """
    if isinstance(error, Conflict | Refused | RoleRefused | SettingsInvalid):
        return error.code, error.figures
    if isinstance(error, HTTPException) and error.status_code == 413:
        return "body.large", {}
    for kind, (usual, names) in _CODES.items():
        if isinstance(error, kind):
            code: str = getattr(error, "code", usual)
            return (code, {name: getattr(error, name) for name in names}) if code else ("", {})
    return "", {}


def _headers(error: Exception, status: int) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    retry_after_s = float(getattr(error, "retry_after_s", 0) or (2 if status == 503 else 0))
    if retry_after_s:
        headers["Retry-After"] = str(max(1, round(retry_after_s)))
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="wattstead"'
    return headers


def _reason(request: Request, row: dict[str, object]) -> str:  # type: ignore[type-arg]
    """What is wrong with an argument; where it is none of some words, which they are."""
    said, key = str(row.get("message", "")), str(row.get("key", ""))
    if not said.startswith("Invalid enum value"):
        return said
    name, path = ("data", re.sub(r"\[[^]]*\]", "", key).split(".")) if _source(row) == "body" else (key, [])
    parameter = request.route_handler.parsed_fn_signature.parameters.get(name)
    known = allowed(parameter.raw, path) if parameter is not None else []
    return f"{said}; give one of {', '.join(known)}" if known else said


def _place(request: Request, row: dict[str, object]) -> str:  # type: ignore[type-arg]
    """An argument by the name that the caller knows it by."""
    source, key = _source(row), row.get("key")
    if source in (None, "query", "path"):
        parameter = request.route_handler.parsed_fn_signature.parameters.get(str(key))
        return str(getattr(parameter and parameter.kwarg_definition, "query", None) or key)
    return str(key) if key not in ("data", None) else str(source)


def _source(row: dict[str, object]) -> object:
    return getattr(row.get("source"), "value", row.get("source"))
