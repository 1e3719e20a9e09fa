"""What can go wrong at the door, one class per thing a sender can act on; how a protocol words it is its own affair."""

from __future__ import annotations

from wattstead.metering.errors import WattsteadError


class IngestError(WattsteadError):
    """Base of the errors of this room: the whole request is refused, nothing of it is kept."""

    status: int = 400
    """The HTTP status that fits."""
    retry_after_s: float = 0.0


class KeyMissing(IngestError):
    """No key came with the request."""

    status = 401

    def __init__(self, where: str) -> None:
        self.where = where
        super().__init__(f"no key was sent; send a write key {where}")


class KeyUnknown(IngestError):
    """A key that does not exist, was revoked or has ended, or whose site is disabled; all answer alike."""

    status = 401

    def __init__(self) -> None:
        super().__init__(
            "the key is not known, has ended or its site is disabled; copy a write key from the page of the site"
        )


class KeyMayNotWrite(IngestError):
    """A read key where a write key is needed."""

    status = 403

    def __init__(self) -> None:
        super().__init__("this key may only read; use a write key of the site")


class NotOfDevice(IngestError):
    """The key of a device names what is not that device's."""

    def __init__(self, address: str, device_id: int) -> None:
        self.address, self.device_id = address, device_id
        super().__init__(
            f"address {address!r} is not one of device {device_id}, to which this key is bound; send it with a key of "
            "its device or of the site"
        )


class DeviceClosed(IngestError):
    """A key of a device whose readings are not taken at present."""

    status = 403

    def __init__(self, device_id: int) -> None:
        self.device_id = device_id
        super().__init__(
            f"device {device_id} may not post: its posting is disabled; enable it on the page of the device"
        )


class ClearRefused(IngestError):
    """A key that may not be shown without TLS was."""

    status = 403

    def __init__(self, key_id: int) -> None:
        self.key_id = key_id
        super().__init__(
            f"key {key_id} may not be sent without TLS from another machine: use https, or a key that allows plain "
            "HTTP; whoever listened on the way has read it, so replace it"
        )


class PortNotClear(IngestError):
    """A request without TLS from another machine, to a port that takes nothing so."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "nothing is taken here without TLS from another machine: use https, or the plain port where there is one; "
            "whoever listened on the way has read what was sent, so replace the key"
        )


class RateExceeded(IngestError):
    """A key sends more readings a second than it may."""

    status = 429
    retryable = True

    def __init__(self, rate: float, retry_after_s: float) -> None:
        self.rate, self.retry_after_s = rate, retry_after_s
        super().__init__(
            f"this key sends more than {rate:,.0f} readings a second; send the same again in {retry_after_s:.0f} s"
        )


class TooBusy(IngestError):
    """More is on its way in than this process holds in memory."""

    status = 503
    retryable = True

    def __init__(self, found_bytes: int, limit_bytes: int, retry_after_s: float = 1.0) -> None:
        self.found_bytes, self.limit_bytes, self.retry_after_s = found_bytes, limit_bytes, retry_after_s
        super().__init__(
            f"requests of {found_bytes:,} bytes are being received, the limit is {limit_bytes:,}; "
            f"send the same again in {retry_after_s:.0f} s"
        )


class TooSlow(IngestError):
    """A request that comes in so slowly that it would hold its room for ever."""

    status = 408
    retryable = True

    def __init__(self) -> None:
        super().__init__(
            "the request came in too slowly: at least 1,000 bytes of it are awaited in a minute, and all within an "
            "hour; send the same again, in smaller parts where the line is slow"
        )


class BodyTooLarge(IngestError):
    """A body, or what it unpacks to, beyond the limit."""

    status = 413

    def __init__(self, what: str, limit_bytes: int) -> None:
        self.what, self.limit_bytes = what, limit_bytes
        super().__init__(f"{what} has more than {limit_bytes:,} bytes; send it in smaller parts")


class BodyInvalid(IngestError):
    """A body that cannot be read at all: not the compression, or not the format, that it claims."""

    def __init__(self, place: str, reason: str) -> None:
        self.place, self.reason = place, reason
        super().__init__(f"{place}: {reason}")


class FormatUnknown(IngestError):
    """A content type or encoding that this route does not read."""

    status = 415

    def __init__(self, header: str, found: str, known: str) -> None:
        self.header, self.found, self.known = header, found, known
        super().__init__(f"{header} {found[:80]!r} is not read here; send {known}")


class ParameterInvalid(IngestError):
    """A parameter of the request, not of a reading, that has no meaning."""

    def __init__(self, name: str, found: str, expected: str) -> None:
        self.name, self.found, self.expected = name, found, expected
        super().__init__(f"{name} is {found[:80]!r}; expected {expected}")


class MethodUnknown(IngestError):
    """A method that the route does not have."""

    status = 405

    def __init__(self, method: str, allowed: str) -> None:
        self.method, self.allowed = method, allowed
        super().__init__(f"{method} is not possible here; use {allowed}")


class SenderGone(IngestError):
    """The sender closed the connection before its request was complete; nobody is there to answer."""

    status = 499

    def __init__(self, received_bytes: int) -> None:
        self.received_bytes = received_bytes
        super().__init__(f"the sender went away after {received_bytes:,} bytes")
