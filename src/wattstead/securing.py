"""Which certificate the settings ask for, and how it is doing; makes none by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from wattstead.certificates.authority import CERTIFICATE, FOLDER, open_authority, read_authority
from wattstead.certificates.challenges import Challenges
from wattstead.certificates.errors import SettingMissing
from wattstead.certificates.live import LiveCertificate, present
from wattstead.certificates.machine import as_address, is_name
from wattstead.certificates.pair import read_pair
from wattstead.certificates.sources import PAIR, Files, Local, reachable_as
from wattstead.certificates.trust import Trust
from wattstead.settings import Settings
from wattstead.web.rooms import StatusPart

_LATE = 1 / 6
"""Of a certificate's time; whatever renews it begins with a third left."""


@dataclass(frozen=True, slots=True)
class Secured:
    """The certificate in use, and what belongs to its kind."""

    live: LiveCertificate
    trust: Trust | None = None
    challenges: Challenges | None = None
    left_out: tuple[str, ...] = ()
    """Names of the settings that the local authority may not vouch for."""

    def part(self) -> StatusPart:
        """How it stands."""
        if self.left_out:
            return StatusPart("certificate", False, left_out_text(self.left_out))
        figures = {"days_left": round(self.live.days_left, 2), "exchanged": float(self.live.exchanged)}
        return StatusPart("certificate", self.live.well, self.live.text, figures)


def secure(settings: Settings) -> Secured | None:
    """What the settings ask for; None without TLS. Blocks; raises `CertificateError`."""
    folder = settings.folder.absolute() / FOLDER
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    match settings.tls_mode:
        case "auto":
            names = frozenset(wanted_names(settings))
            authority = open_authority(folder, reachable_as(names))
            left_out = tuple(sorted(name for name in names if not authority.permits(name)))
            live = LiveCertificate(Local(folder, authority, lambda: reachable_as(names)))
            return Secured(live, Trust(authority), left_out=left_out)
        case "file":
            return Secured(LiveCertificate(Files(*pair_files(settings))))
        case "acme":
            from wattstead.certificates.acme import Acme, Order  # noqa: PLC0415 - its library only where it is used

            names_ = acme_names(settings)
            order = Order(
                directory=settings.acme_directory, names=names_, email=settings.acme_email, trust=settings.acme_trust
            )
            challenges = Challenges()
            return Secured(LiveCertificate(Acme(folder, order, challenges)), challenges=challenges)
    return None


def left_out_text(names: tuple[str, ...]) -> str:
    """Why a name of the settings is not in the certificate, and what to do."""
    return (
        f"the local authority may not vouch for {', '.join(names)}: it was made before the settings named that; remove "
        f"{FOLDER}/authority.crt and {FOLDER}/authority.key, start again, and let every phone trust the new one"
    )


def pair_files(settings: Settings) -> tuple[Path, Path]:
    """The files of ``--tls file``; raises `SettingMissing`."""
    if settings.tls_certificate is None:
        raise SettingMissing("--tls file needs tls_certificate (a PEM file, leaf first) and tls_key in the settings")
    return settings.tls_certificate, settings.tls_key or settings.tls_certificate


def acme_names(settings: Settings) -> tuple[str, ...]:
    """The names ``--tls acme`` asks for; raises `SettingMissing`."""
    names = wanted_names(settings)
    if not names:
        raise SettingMissing("--tls acme needs tls_names in the settings, the names people reach this machine under")
    return names


def wanted_names(settings: Settings) -> tuple[str, ...]:
    """The names of the settings, and that of the public address; raises `SettingMissing` for what is none."""
    given = [one.strip().lower() for one in settings.tls_names.split(",") if one.strip()]
    wrong = [one for one in given if not is_name(one) and as_address(one) is None]
    if wrong:
        raise SettingMissing(f"tls_names has {wrong[0]!r}, which is no name of a host and no address")
    public = urlsplit(settings.public_url).hostname or ""
    return tuple(dict.fromkeys([*given, *([public] if public and settings.public_url.startswith("https:") else [])]))


def own_names(settings: Settings, secured: Secured | None) -> frozenset[str]:
    """The names and addresses of this server, in small letters: the certificate's, the settings', the machine's."""
    certified = secured.live.pair.names if secured else frozenset()
    wanted = reachable_as(frozenset(wanted_names(settings)))
    return frozenset(str(name).lower() for name in (*certified, *wanted))


def standing(settings: Settings, now: datetime | None = None) -> tuple[bool, str]:
    """Whether all is well with the certificate on the disk, and a sentence; makes none. Raises `CertificateError`."""
    mode, folder, now = settings.tls_mode, settings.folder.absolute() / FOLDER, now or present()
    mode = "auto" if mode == "off" else mode  # the command that asks was not told how the server was started
    text = ""
    if mode == "auto":
        if not (folder / CERTIFICATE).exists():
            return True, "none yet; the local authority is made at the first start"
        authority = read_authority(folder)
        text = f"; SHA-256 of the authority {authority.fingerprint}"
        left_out = tuple(name for name in wanted_names(settings) if not authority.permits(name))
        if left_out:
            return False, left_out_text(left_out)
    elif mode == "acme" and not (folder / PAIR[0]).exists():
        return False, f"none yet from {settings.acme_directory}: a running server's log and status tell why"
    found = read_pair(*(pair_files(settings) if mode == "file" else [folder / name for name in PAIR]))
    days = (found.ends - now).total_seconds() / 86_400
    if not found.holds(now):
        return False, f"holds from {found.begins:%Y-%m-%d} to {found.ends:%Y-%m-%d} and not today: clients refuse it"
    share = (found.ends - now) / (found.ends - found.begins)
    held = f"holds until {found.ends:%Y-%m-%d}, {days:.0f} days, for {', '.join(sorted(found.names)[:8])}{text}"
    if mode != "auto" and share < _LATE:
        return False, f"{held}: it should have been renewed; see the log of whatever renews it"
    return True, held
