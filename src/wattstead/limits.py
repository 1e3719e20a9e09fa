"""What the settings say to each room: limits, mail server, pages; starts nothing."""

from __future__ import annotations

from wattstead.ingest.limits import IngestLimits
from wattstead.messaging.limits import SmtpServer
from wattstead.refining.bookkeeping.retention import Keep, Retention
from wattstead.refining.limits import RefiningLimits
from wattstead.securing import Secured
from wattstead.settings import Settings
from wattstead.stream import JournalLimits
from wattstead.web.settings import Demo, OidcProvider, TrustOffer, WebSettings


def journal_limits(settings: Settings) -> JournalLimits:
    """How much the journal keeps."""
    return JournalLimits(
        unconsumed_bytes=settings.journal_limit_bytes,
        keep_bytes=settings.journal_keep_bytes,
        keep_s=settings.journal_keep_s,
    )


def refining_limits(settings: Settings) -> RefiningLimits:
    """How often and how much the refinery stores."""
    return RefiningLimits(store_every_s=settings.store_every_s, waiting_rows=600_000)


def retention(settings: Settings) -> Retention:
    """How long readings are kept: by the rules of classes of points, then as it is for all others."""
    others = Keep(
        raw_days=settings.raw_days,
        minute_days=settings.minute_days,
        quarter_days=settings.quarter_days,
        replaced_days=settings.replaced_days,
    )
    return Retention((*(Keep(**rule.model_dump()) for rule in settings.keep), others))


def ingest_limits(settings: Settings) -> IngestLimits:
    """What senders are held to."""
    return IngestLimits(key_rate=settings.key_rate, future_s=settings.future_limit_s)


def smtp_server(settings: Settings) -> SmtpServer | None:
    """Where mails are handed over; None when no server is named."""
    if not settings.smtp_host:
        return None
    return SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(),
        sender=settings.smtp_sender,
        authority=settings.smtp_authority,
    )


def web_settings(
    settings: Settings, url: str, http_url: str, demo: Demo | None, secured: Secured | None
) -> WebSettings:
    """What the pages are told; ``url``: where they are, ``http_url``: where they are without TLS."""
    oidc = None
    if settings.oidc_issuer:
        secret = settings.oidc_client_secret.get_secret_value()
        oidc = OidcProvider(settings.oidc_issuer.rstrip("/"), settings.oidc_client_id, secret, settings.oidc_name)
    return WebSettings(
        base_path=settings.base_path,
        trust_forwarded=settings.trust_forwarded,
        demo=demo,
        photos=settings.folder.absolute() / "photos",
        public_url=settings.public_url.rstrip("/") or url,
        trust=_trust_offer(http_url, secured),
        mail=bool(settings.smtp_host),
        oidc=oidc,
    )


def _trust_offer(http_url: str, secured: Secured | None) -> TrustOffer | None:
    if secured is None or secured.trust is None:
        return None
    return TrustOffer(f"{http_url}/trust", secured.trust.authority.fingerprint)
