"""Questions about how people prove who they are beside the password; the rules are in `factors` and `passkeys`."""

from __future__ import annotations

from sqlalchemy.orm import Session

from wattstead.registry import trail
from wattstead.registry.door import Door
from wattstead.registry.errors import LoginFailed, RegistryError, SecondFactorMissing
from wattstead.registry.people import accounts, attempts, factors
from wattstead.registry.policy import Resource
from wattstead.registry.storage import dataset
from wattstead.registry.trail import Actor


class Proving(Door):
    """Second factors."""

    def begin_totp(self, account_id: int) -> str:
        """A secret for an authenticator app; it counts once a code of it was confirmed."""
        seal = self._opened_seal()
        with self._db.writing() as s:
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
