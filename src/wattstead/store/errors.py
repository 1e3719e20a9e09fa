"""What can go wrong in the store, one class per thing a caller can act on; says nothing of how it is answered."""

from __future__ import annotations

import re

from wattstead.metering.errors import WattsteadError

_CODE = re.compile(r"\s*Code: (\d+)\. DB::Exception: ")


class StoreError(WattsteadError):
    """Base of the errors of this room."""


class FolderTaken(StoreError):
    """Another process has this folder open; one process at a time can."""

    def __init__(self, folder: str, holder_pid: int | None) -> None:
        self.folder, self.holder_pid = folder, holder_pid
        holder = f"process {holder_pid}" if holder_pid else "another process"
        super().__init__(f"the store folder {folder} is open in {holder}; stop that process or choose another folder")


class EngineMissing(StoreError):
    """The engine is not installed."""


class EngineRefused(StoreError):
    """The engine does not open the folder."""


class StoreFailed(StoreError):
    """The store process did not become ready; the message is its own last word."""

    retryable = True


class EngineFault(StoreError):
    """A statement that the engine answered with an error; ``code`` is ClickHouse's number."""

    def __init__(self, text: str) -> None:
        found = _CODE.match(text)
        self.code = int(found[1]) if found else 1002
        self.text = text
        super().__init__(text)


class Refused(StoreError):
    """A request that the front answers by itself, without asking the engine."""

    def __init__(self, status: int, code: int, text: str, retry_after_s: int | None = None) -> None:
        self.status, self.code, self.text, self.retry_after_s = status, code, text, retry_after_s
        super().__init__(text)


NOT_IMPLEMENTED = 48
TOO_MANY_QUERIES = 202
UNKNOWN_FORMAT = 73
SYNTAX_ERROR = 62
RESULT_TOO_LARGE = 396
AUTHENTICATION_FAILED = 516
LOGICAL_ERROR = 49
BODY_TOO_LARGE = 307


def not_served(what: str) -> Refused:
    """The answer to everything outside the served subset: 501, naming what was asked for."""
    return Refused(501, NOT_IMPLEMENTED, f"{what}; the store serves a subset of ClickHouse HTTP and this is outside it")
