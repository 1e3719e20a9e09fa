"""Asking an OpenID Connect provider who somebody is (authorization code with PKCE); lets nobody in by itself."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from wattstead.metering.errors import WattsteadError
from wattstead.web.settings import OidcProvider

_ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"]
"""Signatures that only the provider can make; never a shared secret, never none."""
_KNOWN_S = 3_600.0
_LEEWAY_S = 60
_LARGEST = 1_000_000


class OutsideFailed(WattsteadError):
    """The provider does not answer, or its answer does not hold."""

    retryable = True


class Begun(msgspec.Struct, frozen=True):
    """What is kept while somebody is at the provider."""

    nonce: str
    verifier: str
    browser: str
    """Hash of a cookie: only the browser that left may come back."""
    to: str
    """Where to go afterwards: a path of ours."""

    @classmethod
    def fresh(cls, browser: str, to: str) -> Begun:
        """With random nonce and verifier."""
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(48), hashed(browser), own_path(to))


class Shown(msgspec.Struct, frozen=True):
    """Whom the provider has let in."""

    subject: str
    email: str
    """Empty unless the provider has verified it."""


class _Provider(msgspec.Struct):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Outside:
    """One provider; its addresses and keys are asked for when they are needed and kept for an hour."""

    def __init__(self, settings: OidcProvider, back: str) -> None:
        """``back`` is where the provider sends people afterwards."""
        self.settings, self.back = settings, back
        self._http = httpx.AsyncClient(timeout=10.0, follow_redirects=False)
        self._provider: tuple[float, _Provider] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def close(self) -> None:
        """Give back connections."""
        await self._http.aclose()

    async def address(self, state: str, begun: Begun) -> str:
        """Where to send the browser; raises `OutsideFailed`."""
        provider = await self._known()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.back,
            "scope": "openid email profile",
            "state": state,
            "nonce": begun.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        mark = "&" if "?" in provider.authorization_endpoint else "?"
        return f"{provider.authorization_endpoint}{mark}{urlencode(asked)}"

    async def shown(self, code: str, begun: Begun) -> Shown:
        """Who the code is about; raises `OutsideFailed`."""
        provider = await self._known()
        told = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.back,
            "code_verifier": begun.verifier,
        }
        own = (self.settings.client_id, self.settings.client_secret)
        auth = httpx.BasicAuth(*own)
        if "client_secret_basic" not in provider.token_endpoint_auth_methods_supported:
            told |= {"client_id": own[0], "client_secret": own[1]}
            answer = await self._ask("POST", provider.token_endpoint, data=told)
        else:
            answer = await self._ask("POST", provider.token_endpoint, data=told, auth=auth)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OutsideFailed("the identity provider sent no ID token")
        claims = await self._checked(provider, token, begun.nonce)
        email = claims.get("email") if claims.get("email_verified") is True else ""
        return Shown(str(claims["sub"]), email if isinstance(email, str) else "")

    async def _checked(self, provider: _Provider, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token as OpenID Connect Core 3.1.3.7 wants them checked."""
        wanted = JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": provider.issuer},
            sub={"essential": True},
            aud={"essential": True, "value": self.settings.client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            try:
                read = jwt.decode(token, await self._key_set(provider), algorithms=_ALGORITHMS)
            except (JoseError, ValueError):  # perhaps its keys are others now
                read = jwt.decode(token, await self._key_set(provider, anew=True), algorithms=_ALGORITHMS)
            claims: dict[str, Any] = read.claims
            wanted.validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise OutsideFailed(f"the identity provider's ID token does not hold ({type(error).__name__})") from error
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != self.settings.client_id:
            raise OutsideFailed("the identity provider's ID token is for somebody else too")
        return claims

    async def _known(self) -> _Provider:
        if self._provider is not None and time.monotonic() - self._provider[0] < _KNOWN_S:
            return self._provider[1]
        told = await self._ask("GET", f"{self.settings.issuer}/.well-known/openid-configuration")
        try:
            found = msgspec.convert(told, _Provider)
        except msgspec.ValidationError as error:
            raise OutsideFailed(f"the identity provider's description is not whole ({error})") from error
        if found.issuer.rstrip("/") != self.settings.issuer:
            raise OutsideFailed("the identity provider calls itself otherwise than the settings do")
        self._provider = (time.monotonic(), found)
        return found

    async def _key_set(self, provider: _Provider, *, anew: bool = False) -> KeySet:
        if self._keys is not None and not anew and time.monotonic() - self._keys[0] < _KNOWN_S:
            return self._keys[1]
        told: Any = await self._ask("GET", provider.jwks_uri)
        try:
            found = KeySet.import_key_set(told)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise OutsideFailed("the identity provider's keys cannot be read") from error
        self._keys = (time.monotonic(), found)
        return found

    async def _ask(self, method: str, address: str, **rest: Any) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, address, **rest)
        except httpx.HTTPError as error:
            raise OutsideFailed(f"the identity provider does not answer ({type(error).__name__})") from error
        if answer.status_code != 200 or len(answer.content) > _LARGEST:
            raise OutsideFailed(f"the identity provider answers {answer.status_code}")
        try:
            return msgspec.json.decode(answer.content, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise OutsideFailed("the identity provider's answer is no JSON") from error


def own_path(to: str) -> str:
    """The path itself when it leads to a page of ours, else the first page: nobody is sent elsewhere.

    >>> own_path("/sites/3?tab=access"), own_path("//evil.example"), own_path("https://evil.example")
    ('/sites/3?tab=access', '/', '/')
    """
    plain = to.isprintable() and to.isascii() and "\\" not in to and len(to) <= 1_000
    return to if plain and to.startswith("/") and not to.startswith("//") else "/"


def hashed(browser: str) -> str:
    """What is kept of the cookie of a browser that leaves."""
    return hashlib.sha256(browser.encode("utf-8", "surrogatepass")).hexdigest()
