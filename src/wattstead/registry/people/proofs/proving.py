"""Questions about how people prove who they are beside the password.

The rules are in `factors`, `passkeys` and `identities`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from wattstead.registry import trail
from wattstead.registry.door import Door
from wattstead.registry.errors import LoginFailed, RegistryError, RoleRefused, SecondFactorMissing
from wattstead.registry.people import accounts, sessions
from wattstead.registry.people.proofs import attempts, ceremonies, factors, identities, passkeys
from wattstead.registry.policy import Resource
from wattstead.registry.records import Passkey, RelyingParty
from wattstead.registry.storage import dataset
from wattstead.registry.trail import Actor

_CHALLENGES = 60
"""How many logins without a password one network address may begin within a quarter of an hour."""
_OUTSIDE = timedelta(minutes=15)


class Proving(Door):
    """Second factors, passkeys, outside providers."""

    def begin_totp(self, account_id: int, *, proven: bool) -> str:
        """A secret for an authenticator app; it counts once a code of it was confirmed.

        Raises `RoleRefused` where it would replace a second factor and nobody has ``proven`` who they are.
        """
        seal = self._opened_seal()
        with self._db.writing() as s:
            if accounts.account(s, account_id).has_totp and not proven:
                raise RoleRefused("factor.set", "this account has a second factor; give the password to replace it")
            return factors.begin(s, seal, account_id, self._clock())

    def confirm_totp(self, account_id: int, code: str) -> list[str]:
        """The recovery codes, shown once; raises `LinkInvalid`, `LoginFailed` for a wrong code, `LoginLimited`."""
        seal, now = self._opened_seal(), self._clock()
        failure: RegistryError | None = None
        codes: list[str] | None = None
        with self._db.writing() as s:
            attempts.check_codes(s, account_id, now)
            codes = factors.confirm(s, seal, account_id, code, now)
            if codes is None:
                failure = attempts.note_wrong_code(s, account_id, now)
            else:
                self._note_proof(s, account_id, "second factor added")
        if codes is None:
            raise failure or LoginFailed()
        return codes

    def drop_totp(self, account_id: int) -> None:
        """End the second factor; raises `LinkInvalid` when there is none."""
        with self._db.writing() as s:
            factors.drop(s, account_id)
            self._note_proof(s, account_id, "second factor ended")

    def fresh_recovery_codes(self, account_id: int) -> list[str]:
        """New recovery codes, shown once; the former ones end."""
        with self._db.writing() as s:
            return factors.fresh_codes(s, account_id)

    def recovery_codes_left(self, account_id: int) -> int:
        """How many recovery codes have not been used."""
        with self._db.reading() as s:
            return factors.codes_left(s, account_id)

    def begin_passkey(self, account_id: int, party: RelyingParty) -> dict[str, Any]:
        """What a browser needs to make a passkey; raises `ProofInvalid` when there are too many."""
        with self._db.writing() as s:
            return passkeys.begin(s, account_id, party, self._clock())

    def finish_passkey(self, account_id: int, party: RelyingParty, name: str, credential: dict[str, Any]) -> Passkey:
        """Keep a passkey; raises `ProofInvalid`, `LinkInvalid`, `NameInvalid`."""
        now = self._clock()
        with self._db.writing() as s:
            challenge = passkeys.challenge_of(s, account_id, now)
        with self._db.writing() as s:
            made = passkeys.finish(s, account_id, party, name, challenge, credential, now)
            self._note_proof(s, account_id, "passkey added")
            return made

    def passkeys(self, account_id: int) -> list[Passkey]:
        """The passkeys of an account, by id."""
        with self._db.reading() as s:
            return passkeys.passkeys(s, account_id)

    def drop_passkey(self, account_id: int, passkey_id: int) -> None:
        """End one of an account's passkeys; raises `Unknown`."""
        with self._db.writing() as s:
            passkeys.drop(s, account_id, passkey_id)
            self._note_proof(s, account_id, "passkey ended")

    def begin_passkey_login(self, party: RelyingParty, address: str) -> tuple[str, dict[str, Any]]:
        """The token of a challenge and what a browser needs to answer it; raises `LoginLimited`."""
        with self._db.writing() as s:
            attempts.spend(s, "passkey", address, _CHALLENGES, self._clock())
            return passkeys.begin_login(s, party, self._clock())

    def finish_passkey_login(
        self, party: RelyingParty, token: str, credential: dict[str, Any], *, agent: str = "", address: str = ""
    ) -> str:
        """The token of a new session; a passkey needs no code beside it; a challenge is good for one answer.

        Raises `LoginFailed`, `LinkInvalid`, `AccountNotActive`.
        """
        now = self._clock()
        with self._db.writing() as s:
            challenge = ceremonies.take(s, token, "passkey login", now)
        with self._db.writing() as s:
            account_id = passkeys.finish_login(s, party, challenge, credential, now)
            return sessions.create(s, account_id, now, agent=agent, address=address)

    def begin_outside(self, content: bytes, address: str) -> str:
        """The token of a login at an outside provider, which brings it back; raises `LoginLimited`."""
        with self._db.writing() as s:
            attempts.spend(s, "outside", address, _CHALLENGES, self._clock())
            return ceremonies.open_(s, "outside", content, self._clock(), _OUTSIDE)

    def take_outside(self, token: str) -> bytes:
        """What was kept for that token, which works no more; raises `LinkInvalid`."""
        with self._db.writing() as s:
            return ceremonies.take(s, token, "outside", self._clock())

    def login_outside(
        self, issuer: str, subject: str, email: str, *, agent: str = "", address: str = ""
    ) -> str:  # fmt: skip
        """The token of a new session of somebody that a provider has let in; see `identities.account_of`.

        Raises `RoleRefused`, `AccountNotActive`.
        """
        now = self._clock()
        with self._db.writing() as s:
            account_id = identities.account_of(s, issuer, subject, email, now)
            return sessions.create(s, account_id, now, agent=agent, address=address)

    def _code_failure(self, account_id: int, code: str, session: Session) -> RegistryError | None:
        """What is wrong with the second factor of somebody whose password is right; None lets them in."""
        now = self._clock()
        if not code.strip():
            return SecondFactorMissing()
        try:
            attempts.check_codes(session, account_id, now)
        except RegistryError as error:
            return error
        if factors.accept(session, self._opened_seal(), account_id, code, now):
            return None
        return attempts.note_wrong_code(session, account_id, now)

    def _note_proof(self, session: Session, account_id: int, what: str) -> None:
        home = accounts.account(session, account_id).organization_id
        trail.note(
            session, self._clock(), Actor(account_id), "change", Resource.SELF, account_id, organization_id=home,
            after={"proof": what},
        )  # fmt: skip
        dataset.bump(session)
