"""What a person sets of a source: its form as a JSON schema, what was filled in checked, secrets kept apart.

Stores nothing and opens nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import inspect

from wattstead.ingest.errors import IngestError, ParameterInvalid
from wattstead.ingest.sources.source_protocol import SourceProtocol
from wattstead.metering.errors import Issue

_AT = re.compile(r" - at `\$\.?([^`]*)`")
_FIELD = re.compile(r"(?:missing required|contains unknown) field `([^`]*)`")
_INDEX = re.compile(r"\[[^]]*\]")
_WORDS = tuple(
    (re.compile(pattern), code)
    for pattern, code in (
        (r"Object missing required field", "setting.missing"),
        (r"Object contains unknown field", "setting.unknown"),
        (r"Invalid enum value", "setting.choice"),
        (r"Expected `(?:int|float)` >=? (-?[\d.e+]+)", "setting.least"),
        (r"Expected `(?:int|float)` <=? (-?[\d.e+]+)", "setting.most"),
        (r"Expected `(?:str|array|object)` of length >= 1$", "setting.missing"),
        (r"Expected `(?:str|array|object)` of length >= (\d+)", "setting.short"),
        (r"Expected `(?:str|array|object)` of length <= (\d+)", "setting.long"),
        (r"Expected `str` matching regex", "setting.form"),
        (r"Expected `[^`]*`, got `[^`]*`", "setting.kind"),
    )
)
"""The library's sentences about what does not fit."""
_LONGEST_ADDRESS = 1_000
HIDDEN = "•••"
"""What stands in place of a secret in a message."""


class SettingsInvalid(IngestError):
    """Settings that a protocol cannot work with; ``places`` names the one.

    ``code`` says in a word what is wrong with it, of which pages make a sentence of theirs with the ``figures``.
    """

    def __init__(self, reason: str, places: list[Issue], code: str = "", **figures: str | float) -> None:
        self.places, self.code, self.figures = places, code, figures
        super().__init__(reason)


def schema(protocol: SourceProtocol) -> dict[str, Any]:
    """The JSON schema of the settings, which nobody changes; a secret has ``"secret": true``."""
    return _schema(protocol.settings)


@cache
def _schema(settings: type) -> dict[str, Any]:
    return msgspec.json.schema(settings)


def marked(protocol: SourceProtocol, mark: str) -> frozenset[str]:
    """The settings that carry a mark: ``secret``, ``where``."""
    return frozenset(field.encode_name for field in _fields(protocol) if _is_marked(field.type, mark))


@cache
def _fields(protocol: SourceProtocol) -> tuple[inspect.Field, ...]:
    kind = inspect.type_info(protocol.settings)
    assert isinstance(kind, inspect.StructType)
    return kind.fields


def _is_marked(kind: inspect.Type, mark: str) -> bool:
    if isinstance(kind, inspect.Metadata):
        return bool((kind.extra_json_schema or {}).get(mark)) or _is_marked(kind.type, mark)
    return isinstance(kind, inspect.UnionType) and any(_is_marked(one, mark) for one in kind.types)


def apart(protocol: SourceProtocol, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str | None]]:
    """The plain settings, and the secrets to set; an empty secret changes nothing, null forgets it.

    Raises `SettingsInvalid` for a secret that is no text.
    """
    names = marked(protocol, "secret")
    plain = {name: value for name, value in given.items() if name not in names}
    secrets: dict[str, str | None] = {}
    for name in names & set(given):
        value = given[name]
        if value is not None and not isinstance(value, str):
            reason = f"is {type(value).__name__}; expected text"
            setting = f"{protocol.name}.{name}"
            raise SettingsInvalid(f"{name}: {reason}", [Issue(name, reason)], "setting.kind", setting=setting)
        if value != "":
            secrets[name] = value
    return plain, secrets


def settings_of(protocol: SourceProtocol, plain: Mapping[str, Any], secrets: Mapping[str, str]) -> Any:
    """The settings as the protocol wants them; raises `SettingsInvalid`, in which no secret stands."""
    try:
        return msgspec.convert({**plain, **secrets}, protocol.settings, strict=True)
    except msgspec.ValidationError as error:
        said = scrubbed(str(error), secrets)
        found = _AT.search(said)
        field = _FIELD.search(said)
        place = ".".join(filter(None, (found.group(1) if found else "", field.group(1) if field else "")))
        reason = _AT.sub("", said)
        code, figures = _coded(reason)
        setting = ".".join(filter(None, (protocol.name, _INDEX.sub("", place))))
        whole = f"{place or 'settings'}: {reason}"
        places = [Issue(place or "settings", reason)]
        raise SettingsInvalid(whole, places, code, setting=setting, **figures) from None
    except Exception as error:  # what it says may hold a secret, and one source must not hold the others up
        reason = f"these cannot be read, by a fault of the program ({type(error).__name__})"
        raise SettingsInvalid(f"settings: {reason}", [Issue("settings", reason)], "setting.fault") from None


def checked(protocol: SourceProtocol, plain: Mapping[str, Any], secrets: Mapping[str, str]) -> Any:
    """`settings_of` that may be saved: they go together as well. Raises `SettingsInvalid`."""
    settings = settings_of(protocol, plain, secrets)
    if protocol.check is not None:
        try:
            protocol.check(settings)
        except ParameterInvalid as error:
            raise _not_together(protocol, error) from None
    return settings


def of_setting(protocol: SourceProtocol, error: ParameterInvalid) -> IngestError:
    """What a protocol says of one of its settings, as `checked` would; as it is where it is about something else."""
    return _not_together(protocol, error) if error.name in {one.encode_name for one in _fields(protocol)} else error


def _not_together(protocol: SourceProtocol, error: ParameterInvalid) -> SettingsInvalid:
    found = f"is {error.found[:80]!r}" if error.found else "is missing"
    reason = f"{found}; expected {error.expected}"
    setting = ".".join((protocol.name, _INDEX.sub("", error.name)))
    whole, places = f"{error.name}: {reason}", [Issue(error.name, reason)]
    made = SettingsInvalid(whole, places, "setting.wrong" if error.found else "setting.missing", setting=setting)
    if error.found:
        made.figures["reason"] = reason
    return made


def _coded(reason: str) -> tuple[str, dict[str, str | float]]:
    """What is wrong with a setting in a word, and how much of what is allowed.

    >>> _coded("Expected `int` <= 65535"), _coded("Object missing required field `host`")
    (('setting.most', {'bound': 65535.0}), ('setting.missing', {}))
    """
    for pattern, code in _WORDS:
        found = pattern.match(reason)
        if found:
            return code, {"bound": float(found.group(1))} if found.groups() else {}
    return "setting.wrong", {"reason": reason}


def goes_elsewhere(protocol: SourceProtocol, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether secrets that were set for the settings before would be shown to somebody else under those after."""
    names = marked(protocol, "where") or (set(before) | set(after))
    usual = {field.encode_name: field.default for field in _fields(protocol)}
    return any(before.get(name, usual.get(name)) != after.get(name, usual.get(name)) for name in names)


def hosts(protocol: SourceProtocol, settings: Any) -> list[str]:
    """The names and addresses of other machines that stand in the settings."""
    told = [getattr(settings, name, None) for name in _attributes(protocol, marked(protocol, "where"))]
    texts = [one for one in told if isinstance(one, str)]
    texts += [each for one in told if isinstance(one, list | tuple) for each in one if isinstance(each, str)]
    return [host for text in texts if (host := host_of(text))]


def host_of(text: str) -> str:
    """The host in an address, whatever else stands beside it; empty for what holds none, such as a certificate.

    >>> [host_of(one) for one in ("h", "h:1883", "me@h:1", "tcp://u:p@h:1/x", "fe80::1", "[fe80::1]:80", "a b", "")]
    ['h', 'h', 'h', 'h', 'fe80::1', 'fe80::1', '', '']
    """
    told = text.strip()
    if not told or len(told) > _LONGEST_ADDRESS or any(letter.isspace() for letter in told):
        return ""
    if told.count(":") > 1 and "//" not in told and not told.startswith("["):
        return told
    try:
        return urlsplit(told if "//" in told else f"//{told}").hostname or ""
    except ValueError:
        return ""


def _attributes(protocol: SourceProtocol, names: frozenset[str]) -> list[str]:
    return [field.name for field in _fields(protocol) if field.encode_name in names]


def scrubbed(text: str, secrets: Mapping[str, str]) -> str:
    """A message without the secrets, should a library have put one in.

    >>> scrubbed("cannot reach mqtt://me:hunter2@host", {"password": "hunter2"})
    'cannot reach mqtt://me:•••@host'
    """
    for secret in sorted((one for one in secrets.values() if one), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
        escaped = repr(secret)[1:-1]
        text = text.replace(escaped, HIDDEN)
    return text
