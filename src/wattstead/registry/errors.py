"""What can go wrong with the registry, one class per thing a caller can act on; raises nothing itself."""

from __future__ import annotations

from wattstead.metering.errors import WattsteadError


class RegistryError(WattsteadError):
    """Base of the errors of this room."""


class RegistryUnavailable(RegistryError):
    """The database does not answer, is locked for too long, or its disk is full; the same call may succeed later."""

    retryable = True

    def __init__(self, reason: str, retry_after_s: float = 2.0) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"the registry's database does not answer ({reason}); try again in {retry_after_s:g} s")


class RegistryDamaged(RegistryError):
    """The database's file is not whole."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the registry's file is damaged ({reason}); stop, and restore a backup")


class SchemaMismatch(RegistryError):
    """The database was made by a newer Wattstead, or was never migrated."""

    def __init__(self, found: str | None, expected: str) -> None:
        self.found, self.expected = found, expected
        remedy = "run the newer Wattstead, or restore a backup" if found else "migrate it first"
        super().__init__(f"the registry's schema is {found or 'missing'}, this program knows {expected}; {remedy}")


class Unknown(RegistryError):
    """A thing of that id does not exist, or is not the caller's to see: the two answer alike."""

    def __init__(self, noun: str, identity: object) -> None:
        self.noun, self.identity = noun, identity
        super().__init__(f"{noun} {identity!r} is not known")


class ZoneUnknown(RegistryError):
    """A time zone that the IANA table lacks."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        super().__init__(f"time zone {zone[:60]!r} is not known; give an IANA name such as Europe/Paris")


class NameInvalid(RegistryError):
    """A name that is empty, too long or not printable; ``code`` names the rule that it breaks, if that has a name."""

    def __init__(self, noun: str, name: str, reason: str, code: str = "", most: int = 0) -> None:
        self.noun, self.name, self.reason, self.code, self.most = noun, name, reason, code, most
        super().__init__(f"{noun} {shown(name)} {reason}")


class AttributeInvalid(RegistryError):
    """An attribute that does not exist, or a value that it cannot have; ``code`` names the rule, if that has a name."""

    def __init__(self, name: str, reason: str, code: str = "", least: float = 0, most: float = 0) -> None:
        self.name, self.reason, self.code, self.least, self.most = name, reason, code, least, most
        super().__init__(f"{shown(name)[1:-1]} {reason}")


class _Told(RegistryError):
    """What is told by a word, ``code``, that stays the same while sentences may be reworded, and by its figures."""

    def __init__(self, code: str, sentence: str, **figures: str | float) -> None:
        self.code, self.figures = code, figures
        super().__init__(sentence)


class Conflict(_Told):
    """A change that does not go with what is there: something in use, a place inside itself."""


class PointInvalid(RegistryError):
    """Kind, quantity, unit, resolution or width of a point do not go together."""


class AddressError(RegistryError):
    """One address of a batch that gets no point; the others of the batch are not affected."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"address {shown(path)} {reason}")


class AddressInvalid(AddressError):
    """An address that is empty, too long or has control characters."""


class PointLimit(AddressError):
    """A new address beyond the number of points that its key may create."""

    def __init__(self, path: str, limit: int) -> None:
        self.limit = limit
        super().__init__(path, f"is new and its key has reached its limit of {limit} points; raise the key's limit")


class KeyRevoked(RegistryError):
    """A key that was revoked between its acceptance and now."""

    def __init__(self, key_id: int) -> None:
        self.key_id = key_id
        super().__init__(f"key {key_id} is revoked; create another one")


class KeyInvalid(RegistryError):
    """A scope, limit or secret that a key cannot have."""


class EmailTaken(RegistryError):
    """Another account has that e-mail address."""

    def __init__(self, email: str) -> None:
        self.email = email
        super().__init__(f"an account with e-mail address {email!r} exists; choose another")


class EmailAlike(EmailTaken):
    """An e-mail address that looks like that of another account: as good as taken, and no less told."""

    code = "email.alike"

    def __init__(self, email: str) -> None:
        self.email = email
        RegistryError.__init__(self, f"e-mail address {email!r} looks like another one; write it in plain letters")


class PasswordInvalid(RegistryError):
    """A new password that is too short or too long."""

    def __init__(self, length: int, shortest: int, longest: int) -> None:
        self.length, self.shortest, self.longest = length, shortest, longest
        super().__init__(f"a password of {length} characters; it needs {shortest} to {longest}")


class LoginFailed(RegistryError):
    """E-mail address or password is wrong; which of the two is not said."""

    def __init__(self) -> None:
        super().__init__("e-mail address or password is wrong")


class LoginLimited(RegistryError):
    """Too many failed logins of one account or from one network address, or too much else that is counted."""

    retryable = True

    def __init__(self, retry_after_s: int, what: str = "failed logins") -> None:
        self.retry_after_s, self.what = retry_after_s, what
        super().__init__(f"too many {what}; try again in {retry_after_s} s")


class LoginBusy(RegistryError):
    """More logins are waiting for their password check than the queue holds."""

    retryable = True

    def __init__(self, waiting: int, retry_after_s: int = 2) -> None:
        self.waiting, self.retry_after_s = waiting, retry_after_s
        super().__init__(f"{waiting} logins are waiting already; try again in {retry_after_s} s")


class SecondFactorMissing(LoginFailed):
    """The password is right and the account asks for a code, which was not given."""

    def __init__(self) -> None:
        RegistryError.__init__(
            self, "this account asks for a second factor: send the code of the app, or a recovery code"
        )


class AccountNotActive(RegistryError):
    """The right password of an account that cannot be used: its address is not verified, or it was disabled."""

    def __init__(self, state: str) -> None:
        self.state, self.code = state, "account.invited" if state == "invited" else "account.closed"
        remedy = (
            "open the link that was mailed to it" if state == "invited" else "whoever runs your organization can help"
        )
        super().__init__(f"this account is {'not verified yet' if state == 'invited' else state}; {remedy}")


class LinkInvalid(RegistryError):
    """The token of an invitation or of a mailed link that is unknown, used, revoked or too old: these answer alike."""

    def __init__(self, noun: str = "link") -> None:
        self.noun = noun
        super().__init__(f"this {noun} is not valid, or no longer; ask for a new one")


class ProofInvalid(RegistryError):
    """A proof of who somebody is, such as a passkey, that does not hold."""


class RoleRefused(_Told):
    """A role that one may not give, or a person above whom one does not stand."""


class Stale(RegistryError):
    """A change to a version that is no longer the newest: somebody else changed the thing meanwhile."""

    def __init__(self, noun: str, identity: object, found: int, expected: int) -> None:
        self.noun, self.identity, self.found, self.expected = noun, identity, found, expected
        super().__init__(
            f"{noun} {identity} was changed meanwhile: it has version {found}, the change was made to {expected}; "
            "look at it again"
        )


class TemplateInvalid(RegistryError):
    """A template that cannot be read, or whose parts do not go together."""

    def __init__(self, file: str, line: int, field: str, reason: str) -> None:
        self.file, self.line, self.field, self.reason = file, line, field, reason
        super().__init__(f"{shown(file)[1:-1]}, line {line}{', ' if field else ''}{field}: {reason}")


class TemplateTaken(RegistryError):
    """A revision of a template that exists already."""

    def __init__(self, name: str, revision: int) -> None:
        self.name, self.revision = name, revision
        super().__init__(f"template {name!r} has a revision {revision} already; give it a greater number")


class AddressTaken(RegistryError):
    """Addresses of a new device that belong to another device of the site."""

    def __init__(self, path: str, device_id: int) -> None:
        self.path, self.device_id = path, device_id
        super().__init__(f"address {shown(path)} belongs to device {device_id}; give the new one another prefix")


class NotTold(RegistryError):
    """A question by what whoever asks is not told: the answer would tell it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} asks for what a link or a key that reads is not told; sign in to search by it")


class BackupError(RegistryError):
    """A folder that holds no usable backup, or a registry that is not empty and would be overwritten."""


def shown(text: str, longest: int = 60) -> str:
    """A name as it may stand in a message or a log: quoted, escaped and cut."""
    return ascii(text) if len(text) <= longest else f"{text[:longest]!a}… of {len(text)} characters"
