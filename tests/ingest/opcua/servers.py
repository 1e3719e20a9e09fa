"""OPC UA servers for the tests, of the library's making, with nodes that the tests change."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from asyncua import Server, ua
from asyncua.crypto.permission_rules import SimpleRoleRuleset, User, UserRole
from asyncua.server.user_managers import UserManager
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

URI = "urn:tests:meters"
SERVER_URI = "urn:tests:server"


def pair(common_name: str, uri: str) -> tuple[bytes, bytes]:
    """A certificate that vouches for itself, and its key, both PEM."""
    key = rsa.generate_private_key(65_537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=10))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    coded = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return made.public_bytes(serialization.Encoding.PEM), coded


class Users(UserManager):  # type: ignore[misc]
    """Lets in who has the password or shows a certificate."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.seen: list[str] = []

    def get_user(self, iserver: Any, username: Any = None, password: Any = None, certificate: Any = None) -> Any:
        if username is not None:
            self.seen.append(str(username))
            return User(role=UserRole.User, name=username) if password == self.password else None
        self.seen.append("certificate" if certificate is not None else "nobody")
        return User(role=UserRole.User)


class Meters:
    """A running server with an object Meter, to which each test adds variables of its own."""

    def __init__(self, server: Server, url: str, parent: Any, index: int, users: Users) -> None:
        self.server, self.url, self.index, self.users = server, url, index, users
        self._parent = parent
        self._nodes: dict[str, Any] = {}

    async def add(self, name: str, first: Any = 0.0, unit: str = "") -> str:
        """A variable; how its node is written in settings."""
        node = await self._parent.add_variable(ua.NodeId(name, self.index), name, first)
        if unit:
            text = ua.LocalizedText(unit)
            await node.add_property(0, "EngineeringUnits", ua.EUInformation(DisplayName=text, Description=text))
        self._nodes[name] = node
        return f"nsu={URI};s={name}"

    async def set(self, name: str, value: Any, kind: Any = None, at: Any = None, status: int = 0) -> None:
        """A value as its source has it."""
        variant = ua.Variant(value, kind) if kind is not None else ua.Variant(value)
        at = at or datetime.datetime.now(datetime.UTC)
        given = ua.DataValue(variant, StatusCode=ua.StatusCode(status), SourceTimestamp=at)
        await self.server.write_attribute_value(self._nodes[name].nodeid, given)

    async def keep_history(self, name: str) -> None:
        """From now on its values are there to be asked for."""
        await self.server.historize_node_data_change(self._nodes[name], period=None, count=100_000)

    async def record(self, name: str, value: Any, at: datetime.datetime) -> None:
        """A value that the history holds when this returns: the server hands them over on its way, not at once."""
        await self.set(name, value, at=at)
        kept = self.server.iserver.history_manager.storage._datachanges[self._nodes[name].nodeid]
        async with asyncio.timeout(60):
            while value not in [one.Value.Value for one in kept]:  # noqa: ASYNC110 - its storage tells nobody
                await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def meters(port: int, certificate: Path, key: Path) -> AsyncIterator[Meters]:
    """A server that offers every policy, and none; its start costs seconds, so there is one for all tests."""
    users = Users("correct horse battery")
    server = Server(user_manager=users)
    await server.init()
    url = f"opc.tcp://127.0.0.1:{port}/meters"
    server.set_endpoint(url)
    server.set_server_name("Meters")
    await server.set_application_uri(SERVER_URI)
    await server.load_certificate(certificate)
    await server.load_private_key(key)
    policies = ua.SecurityPolicyType
    server.set_security_policy(
        [
            policies.NoSecurity,
            policies.Basic256Sha256_Sign,
            policies.Basic256Sha256_SignAndEncrypt,
            policies.Aes128Sha256RsaOaep_SignAndEncrypt,
            policies.Aes256Sha256RsaPss_SignAndEncrypt,
        ],
        permission_ruleset=SimpleRoleRuleset(),
    )
    index = await server.register_namespace(URI)
    parent = await server.nodes.objects.add_object(ua.NodeId("Meter", index), "Meter")
    async with server:
        yield Meters(server, url, parent, index, users)


class Relay:
    """A link to a server that can be cut, and can be silent."""

    def __init__(self, port: int) -> None:
        self.port, self.silent = 0, False
        self._to = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Take connections, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """End all connections and take no more."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers |= {writer, back}
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while data := await reader.read(65_536):
                if not self.silent:
                    writer.write(data)
        writer.transport.abort()
