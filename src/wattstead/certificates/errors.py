"""What can go wrong with certificates, one class per thing that whoever runs the machine can act on."""

from __future__ import annotations

from pathlib import Path

from wattstead.metering.errors import WattsteadError


class CertificateError(WattsteadError):
    """Base of the errors of this room."""


class PairBroken(CertificateError):
    """A certificate and a key that cannot be used together."""

    def __init__(self, where: str, reason: str) -> None:
        self.where, self.reason = where, reason
        super().__init__(f"{where}: {reason}")


class AuthorityBroken(CertificateError):
    """The local authority's files are not whole."""

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder = folder
        super().__init__(
            f"the local certificate authority in {folder} cannot be used ({reason}): bring its files back, or remove "
            "authority.crt and authority.key to have a new one, which every phone has to trust anew"
        )


class SettingMissing(CertificateError):
    """A setting without which certificates cannot be had that way."""


class IssueFailed(CertificateError):
    """The authority that was asked gave no certificate; asked again later."""

    retryable = True
