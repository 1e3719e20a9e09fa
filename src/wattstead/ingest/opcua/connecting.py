"""Connecting: a session with an OPC UA server, as secure as asked for; subscribes to nothing.

A server is trusted by the fingerprint of its certificate; a password goes only over an encrypted connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from asyncua import Client, ua
from asyncua.crypto import security_policies
from asyncua.crypto.uacrypto import CertProperties
from asyncua.ua import uaerrors
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from wattstead.ingest.opcua.identity import fingerprint, identity
from wattstead.ingest.opcua.settings import OpcuaSettings
from wattstead.ingest.sources.source_protocol import SourceFailed
from wattstead.ingest.sources.unreached import why

logging.getLogger("asyncua").setLevel(logging.ERROR)  # its debug log has requests whole, passwords and all
POLICIES = {
    "none": security_policies.SecurityPolicyNone,
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128Sha256RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256Sha256RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
}
MODES = {"sign": ua.MessageSecurityMode.Sign, "sign-and-encrypt": ua.MessageSecurityMode.SignAndEncrypt}
_SECURED = (
    uaerrors.BadCertificateUntrusted, uaerrors.BadSecurityChecksFailed, uaerrors.BadCertificateInvalid,
    uaerrors.BadCertificateUseNotAllowed, uaerrors.BadCertificateUriInvalid,
)  # fmt: skip
_DENIED = (
    uaerrors.BadUserAccessDenied, uaerrors.BadIdentityTokenRejected, uaerrors.BadIdentityTokenInvalid,
)  # fmt: skip


@contextlib.asynccontextmanager
async def connected(settings: OpcuaSettings) -> AsyncIterator[Client]:
    """A session, ended at the end; raises `SourceFailed`."""
    client = Client(settings.url, timeout=settings.timeout_s, watchdog_intervall=max(5.0, settings.timeout_s))
    client.name = client.description = "Wattstead"
    try:
        await _secure(client, settings)
        _introduce(client, settings)
        await client.connect()
    except (OSError, TimeoutError, ua.UaError, asyncio.IncompleteReadError) as error:
        with contextlib.suppress(Exception):
            client.disconnect_socket()
        raise failed(settings, error) from error
    try:
        yield client
    finally:
        with contextlib.suppress(OSError, TimeoutError, ua.UaError):
            async with asyncio.timeout(settings.timeout_s):
                await client.disconnect()


async def endpoints(settings: OpcuaSettings) -> list[ua.EndpointDescription]:
    """What the server offers; asks it without any security. Raises `SourceFailed`."""
    client = Client(settings.url, timeout=settings.timeout_s)
    try:
        async with asyncio.timeout(3 * settings.timeout_s):
            return list(await client.connect_and_get_server_endpoints())
    except (OSError, TimeoutError, ua.UaError, asyncio.IncompleteReadError) as error:
        raise failed(settings, error) from error


def failed(settings: OpcuaSettings, error: BaseException) -> SourceFailed:
    """What went wrong, and what to do about it; no secret stands in it."""
    if isinstance(error, _DENIED):
        return SourceFailed(f"{settings.url} refuses the user {settings.user!r}: {_name(error)}", hopeless=True)
    if isinstance(error, _SECURED):
        ours = identity().fingerprint
        return SourceFailed(
            f"{settings.url} does not trust our certificate ({_name(error)}); let it trust the one with the "
            f"fingerprint {ours}"
        )
    if isinstance(error, ua.UaError):
        return SourceFailed(f"{settings.url}: {_name(error)}")
    reason = f"no answer within {settings.timeout_s:g} s" if isinstance(error, TimeoutError) else why(error)
    return SourceFailed(f"{settings.url} cannot be reached: {reason}")


def _name(error: BaseException) -> str:
    return f"{type(error).__name__} {error}"[:300]


def certificate_of(endpoint: ua.EndpointDescription) -> bytes:
    """The server's own certificate, without those that may be chained behind it."""
    chain = bytes(endpoint.ServerCertificate or b"")
    return chain[: 4 + int.from_bytes(chain[2:4], "big")] if chain[:2] == b"\x30\x82" else chain


async def _secure(client: Client, settings: OpcuaSettings) -> None:
    if settings.security == "none":
        if settings.password or settings.user_key:
            raise SourceFailed(
                "a password or key is set, and no security: choose a policy with encryption", hopeless=True
            )
        return
    policy, mode = POLICIES[settings.security], MODES[settings.mode]
    if settings.password and settings.mode != "sign-and-encrypt":
        raise SourceFailed("a password goes over an encrypted connection only: choose sign-and-encrypt", hopeless=True)
    offered = await endpoints(settings)
    matching = [one for one in offered if one.SecurityPolicyUri == policy.URI and one.SecurityMode == mode]
    if not matching:
        names = sorted({f"{one.SecurityPolicyUri.rpartition('#')[2]} {one.SecurityMode.name}" for one in offered})
        raise SourceFailed(
            f"{settings.url} has no {settings.security} {settings.mode}; it offers {', '.join(names)}",
            hopeless=True,
        )
    certificate = certificate_of(matching[0])
    found = fingerprint(certificate)
    if found != settings.fingerprint:
        told = "is not trusted yet" if not settings.fingerprint else f"was {settings.fingerprint} when it was trusted"
        raise SourceFailed(
            f"{settings.url} has the certificate with the fingerprint {found}, which {told}; compare it and set it",
            hopeless=True,
        )
    ours = await asyncio.to_thread(identity)
    client.application_uri = ours.uri
    await client.set_security(
        policy,
        CertProperties(ours.certificate, "der"),
        CertProperties(ours.key, "der"),
        server_certificate=CertProperties(certificate, "der"),
        mode=mode,
    )


def _introduce(client: Client, settings: OpcuaSettings) -> None:
    """Say who connects, where that is asked for."""
    if settings.user_certificate:
        try:
            client.user_certificate = x509.load_pem_x509_certificate(settings.user_certificate.encode())
            key = serialization.load_pem_private_key(settings.user_key.encode(), None)
        except ValueError:
            raise SourceFailed(
                "certificate or key of the user cannot be read; give both as PEM", hopeless=True
            ) from None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise SourceFailed("the key of the user is no RSA key", hopeless=True)
        client.user_private_key = key
    elif settings.user:
        client.set_user(settings.user)
        client.set_password(settings.password)
