"""What a phone or computer needs to trust the local authority: a page of steps, the certificate, Apple's profile.

All of it may be read by everybody: it holds no secret. Who sends it, and over what, is decided elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import plistlib
import re
import uuid
from collections.abc import Mapping
from html import escape
from typing import NamedTuple

from wattstead.certificates.authority import Authority
from wattstead.certificates.trust_words import WORDS, Words

PATH = "/trust"
_STYLE = """
body{margin:0 auto;max-width:40rem;padding:1.5rem 1rem 4rem;font:1.0625rem/1.5 system-ui,sans-serif;color:#1b2420;
background:#fbfcfb}h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.125rem;margin:2rem 0 .25rem}
ol{padding-left:1.4rem}a.take{display:inline-block;margin:.25rem 0;padding:.75rem 1rem;min-height:1.5rem;
border-radius:.5rem;background:#0b6b4f;color:#fff;text-decoration:none;font-weight:600}
a{color:#0b6b4f}code{font-size:.875rem;overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{color:#e6ece9;background:#121715}a{color:#6fd3b0}
a.take{background:#6fd3b0;color:#0c1512}}
"""
_POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_WORDS_TO_TYPE = re.compile(r"`([^`]+)`")
_NAMESPACE = uuid.UUID("6f8f3b52-9f4e-4b55-8d5e-0d7d2b6a3b11")


class Paper(NamedTuple):
    """Something to send: its type, further headers and bytes."""

    kind: str
    headers: Mapping[str, str]
    body: bytes


class Trust:
    """The papers of one authority."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority

    def paper(self, path: str, languages: str, https: str) -> Paper | None:
        """What stands on a path below `PATH`; None for nothing.

        ``languages`` is an Accept-Language header, ``https`` where the pages are for whoever asks.
        """
        match path.removeprefix(PATH):
            case "" | "/":
                return Paper(
                    "text/html; charset=utf-8",
                    {"content-security-policy": _POLICY, "vary": "Accept-Language"},
                    _page(_chosen(languages), self.authority, https).encode(),
                )
            case "/wattstead.crt":
                given = {"content-disposition": 'attachment; filename="wattstead.crt"'}
                return Paper("application/x-x509-ca-cert", given, self.authority.der)
            case "/wattstead.pem":
                given = {"content-disposition": 'attachment; filename="wattstead.pem"'}
                return Paper("application/x-pem-file", given, self.authority.pem)
            case "/wattstead.mobileconfig":
                given = {"content-disposition": 'attachment; filename="wattstead.mobileconfig"'}
                return Paper("application/x-apple-aspen-config", given, _profile(self.authority))
        return None


def _chosen(languages: str) -> Words:
    """The first language of the header that the words are there in, else English.

    >>> _chosen("pt-BR,fr-CH;q=0.8,en;q=0.5").language
    'fr'
    """
    asked = (one.partition(";")[0].strip().partition("-")[0].lower() for one in languages.split(","))
    return next((WORDS[one] for one in asked if one in WORDS), WORDS["en"])


def _page(words: Words, authority: Authority, https: str) -> str:
    def steps(*lines: str) -> str:
        return "<ol>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ol>"

    def told(line: str) -> str:
        return _WORDS_TO_TYPE.sub(r"<code>\1</code>", escape(line))

    address = escape(https, quote=True)
    crt, profile = "trust/wattstead.crt", "trust/wattstead.mobileconfig"
    return (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(words.title)}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{escape(words.title)}</h1><p>{escape(words.why)}</p>"
        f'<h2>iPhone, iPad</h2><p><a class="take" href="{profile}">{escape(words.take_profile)}</a></p>'
        f"{steps(*words.apple)}"
        f'<h2>Android</h2><p><a class="take" href="{crt}">{escape(words.take_certificate)}</a></p>'
        f"{steps(*words.android)}"
        f'<h2>{escape(words.computer)}</h2><p><a href="{crt}">wattstead.crt</a></p>{steps(*words.computers)}'
        f"<h2>{escape(words.compare)}</h2><p>{told(words.compare_how)}</p>"
        f"<p><code>{authority.fingerprint}</code></p>"
        f'<h2>{escape(words.done)}</h2><p><a href="{address}">{address}</a></p></main></body></html>'
    )


def _profile(authority: Authority) -> bytes:
    """Apple's configuration profile with the certificate as a root; the same bytes for the same authority."""
    payload = str(uuid.uuid5(_NAMESPACE, authority.fingerprint)).upper()
    outer = str(uuid.uuid5(_NAMESPACE, f"{authority.fingerprint} profile")).upper()
    return plistlib.dumps(
        {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": f"wattstead.{outer}",
            "PayloadUUID": outer,
            "PayloadDisplayName": authority.name,
            "PayloadContent": [
                {
                    "PayloadType": "com.apple.security.root",
                    "PayloadVersion": 1,
                    "PayloadIdentifier": f"wattstead.{payload}",
                    "PayloadUUID": payload,
                    "PayloadDisplayName": authority.name,
                    "PayloadCertificateFileName": "wattstead.crt",
                    "PayloadContent": authority.der,
                }
            ],
        }
    )
