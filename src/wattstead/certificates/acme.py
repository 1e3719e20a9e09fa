"""Acme: certificates of an authority that speaks RFC 8555, such as Let's Encrypt; it is shown over HTTP that we hold
the names (HTTP-01).

Whatever answers on port 80 of those names asks `Challenges`; the protocol itself is the ``acme`` library's.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import requests
from acme import challenges, client, errors, messages
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from josepy.jwa import ES256
from josepy.jwk import JWKEC

from wattstead import __version__
from wattstead.certificates.challenges import Challenges
from wattstead.certificates.errors import CertificateError, IssueFailed, PairBroken
from wattstead.certificates.machine import as_address
from wattstead.certificates.pair import Pair, fresh_key, key_pem, read_pair, save, save_pair, stand_in
from wattstead.certificates.sources import CERTIFICATE, KEY

_ACCOUNT_KEY, _ACCOUNT = "account.key", "account.json"
_PATIENCE = timedelta(seconds=120)
_LONGEST_S, _LOOK_S = 43_200.0, 3_600.0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of whom."""

    directory: str
    """Address of the authority's directory."""
    names: tuple[str, ...]
    email: str = ""
    trust: str = ""
    """File of certificates by which the authority itself is known; empty: those that everybody knows."""


class _Account(msgspec.Struct, frozen=True):
    directory: str
    uri: str


class Acme:
    """A `wattstead.certificates.sources.Source`; account and pair stand in its folder."""

    public = True

    def __init__(self, folder: Path, order: Order, challenges: Challenges, first_wait_s: float = 120.0) -> None:
        """``first_wait_s`` after a failure it is tried again, then after twice as long each time, up to 12 hours."""
        self._folder, self._order, self._challenges, self._first_wait_s = folder, order, challenges, first_wait_s
        self._given = False

    def first(self, now: datetime) -> Pair:
        """The pair of last time; without one, a pair nobody trusts, until the authority has answered."""
        try:
            return read_pair(self._folder / CERTIFICATE, self._folder / KEY)
        except PairBroken:
            return stand_in(frozenset(name for name in self._order.names if as_address(name) is None), now)

    def newer(self, held: Pair, now: datetime) -> Pair | None:
        """Another one when it is due, or other names are wanted; raises `IssueFailed`."""
        if not self._wanting(held, now):
            return None
        try:
            made = self._issued()
        except (errors.Error, requests.RequestException, ValueError, KeyError, OSError) as error:
            told = _said(error)
            raise IssueFailed(
                f"{self._order.directory} gave no certificate for {', '.join(self._order.names)}: {told}"
            ) from error
        save_pair(made, self._folder / CERTIFICATE, self._folder / KEY)
        self._given = True
        return made

    def wait_s(self, held: Pair, failures: int, now: datetime) -> float:
        """Until it is due; longer after each failure."""
        if failures:
            return min(self._first_wait_s * 2.0 ** min(failures - 1, 30), _LONGEST_S)
        if self._wanting(held, now):  # a clock that is wrong must not lead to asking on and on
            return self._first_wait_s if self._given else 0.0
        due = held.ends - (held.ends - held.begins) / 3
        return min(_LOOK_S, max(1.0, (due - now).total_seconds()))

    def _wanting(self, held: Pair, now: datetime) -> bool:
        return held.own or held.due(now) or not held.names.issuperset(self._order.names)

    def _issued(self) -> Pair:
        key = self._key()
        net = client.ClientNetwork(
            key, alg=ES256, user_agent=f"wattstead/{__version__}", verify_ssl=self._order.trust or True  # type: ignore[arg-type]
        )  # fmt: skip
        authority = client.ClientV2(client.ClientV2.get_directory(self._order.directory, net), net)
        net.account = self._account(authority)
        secret = fresh_key()
        try:
            order = authority.new_order(_request(self._order.names, secret))
        except messages.Error as error:
            if error.code == "accountDoesNotExist":  # it has forgotten us; next time we begin anew
                (self._folder / _ACCOUNT).unlink(missing_ok=True)
            raise
        shown: list[str] = []
        try:
            for held in order.authorizations:
                if held.body.status != messages.STATUS_VALID:
                    one = _http_01(held)
                    response, answer = one.response_and_validation(key)
                    self._challenges.put(one.chall.path, answer.encode())
                    shown.append(one.chall.path)
                    authority.answer_challenge(one, response)
            done = authority.poll_and_finalize(order, datetime.now() + _PATIENCE)
        finally:
            for path in shown:
                self._challenges.drop(path)
        return Pair(done.fullchain_pem.encode(), key_pem(secret), f"what {self._order.directory} gave")

    def _key(self) -> JWKEC:
        path = self._folder / _ACCOUNT_KEY
        if not path.exists():
            save(path, key_pem(fresh_key()))
        return JWKEC(key=load_pem_private_key(path.read_bytes(), None))

    def _account(self, authority: client.ClientV2) -> messages.RegistrationResource:
        """The account at that authority, made at the first time: its owner agrees to the authority's terms."""
        path = self._folder / _ACCOUNT
        try:
            known = msgspec.json.decode(path.read_bytes(), type=_Account)
        except (FileNotFoundError, msgspec.MsgspecError):
            known = None
        if known is None or known.directory != self._order.directory:
            wish = messages.NewRegistration.from_data(email=self._order.email or None, terms_of_service_agreed=True)
            try:
                uri = str(authority.new_account(wish).uri)
            except errors.ConflictError as met:
                uri = str(met.location)
            known = _Account(self._order.directory, uri)
            save(path, msgspec.json.encode(known))
        return messages.RegistrationResource(uri=known.uri, body=messages.Registration())


def _http_01(held: messages.AuthorizationResource) -> messages.ChallengeBody:
    for one in held.body.challenges:
        if isinstance(one.chall, challenges.HTTP01):
            found: messages.ChallengeBody = one
            return found
    raise errors.Error(f"it does not offer HTTP-01 for {held.body.identifier.value}")


def _request(names: tuple[str, ...], key: object) -> bytes:
    general = [
        x509.DNSName(name) if (address := as_address(name)) is None else x509.IPAddress(address) for name in names
    ]
    made = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .add_extension(x509.SubjectAlternativeName(general), critical=False)
        .sign(key, hashes.SHA256())  # type: ignore[arg-type]
    )
    return made.public_bytes(Encoding.PEM)


def _said(error: Exception) -> str:
    """What an authority says of a failure, without the machinery around it."""
    if isinstance(error, errors.ValidationError):
        faults = [
            f"{held.body.identifier.value}: {one.error.detail or one.error.typ}"
            for held in error.failed_authzrs
            for one in held.body.challenges
            if one.error is not None
        ]
        return "; ".join(faults)[:500]
    if isinstance(error, messages.Error):
        return str(error.detail or error.typ)[:500]
    if isinstance(error, errors.TimeoutError):
        return "it did not come to an end in time"
    if isinstance(error, CertificateError):
        return str(error)
    return f"{type(error).__name__} {error}"[:500].strip()
