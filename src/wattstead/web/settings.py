"""What the web is told at start: prefix, limits, the demo's words; the process's own settings are read elsewhere."""

from __future__ import annotations

from pathlib import Path

import msgspec

STATIC = Path(__file__).parent / "static"
"""Where the front end's build lies."""


class Demo(msgspec.Struct, frozen=True):
    """What the page of a demo tells: the note to everybody who has signed in, the key to who sees keys."""

    note: str
    """What is replayed, and whose recordings they are."""
    write_key: str
    """The key in the line to paste."""


class OidcProvider(msgspec.Struct, frozen=True):
    """An OpenID Connect provider that people may sign in with."""

    issuer: str
    client_id: str
    client_secret: str
    name: str = "single sign-on"

    def __repr__(self) -> str:
        return f"OidcProvider({self.issuer})"


class TrustOffer(msgspec.Struct, frozen=True):
    """Where a device learns to trust the local authority, and by what that is known."""

    address: str
    fingerprint: str


class WebSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Figures and words; none of them changes while the process runs."""

    base_path: str = ""
    """Prefix below which a proxy serves the application, such as ``/energy``; the proxy may cut it off or leave it."""
    trust_forwarded: bool = False
    """Take prefix, scheme and client address from ``X-Forwarded-Prefix``, ``-Proto`` and ``-For``: only where a proxy
    of ours always sets or removes these headers."""
    frame_ancestors: str = "'none'"
    """Who may show the pages in a frame, as in Content-Security-Policy."""
    static: Path = STATIC
    registry_threads: int = 3
    registry_queue: int = 300
    series_threads: int = 4
    series_queue: int = 200
    answer_threads: int = 2
    answer_queue: int = 500
    live_streams: int = 5_000
    """Live streams at one time in this process; more: 503."""
    live_streams_each: int = 50
    """Live streams of one person or key at one time; more: 429."""
    pending_s: float = 8.0
    """How long a question for history that finds little or nothing waits for readings on their way; then 503."""
    heartbeat_s: float = 15.0
    """How often an idle live stream says that it lives."""
    demo: Demo | None = None
    photos: Path | None = None
    """Where pictures of sites and devices are kept; none: they are not taken."""
    public_url: str = ""
    """Where people reach the pages, prefix included; links in mails begin with it, never with what a request says."""
    trust: TrustOffer | None = None
    """None: who vouches for the certificate is trusted anyway."""
    mail: bool = False
    """Whether mails are sent: then addresses are verified, and links are not shown to who asks for them."""
    oidc: OidcProvider | None = None
