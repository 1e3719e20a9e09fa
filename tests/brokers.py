"""Real brokers for tests, on free ports in temporary folders: Mosquitto, and certificates for it."""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PATIENCE_S = 60.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


class Mosquitto:
    """A Mosquitto that can be killed, stopped for a while and started again on its port and folder."""

    def __init__(self, folder: Path, *lines: str, port: int = 0) -> None:
        self.folder, self.port = folder, port or free_port()
        folder.mkdir(exist_ok=True)
        self._config = folder / "mosquitto.conf"
        told = [f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {folder}/",
                "autosave_interval 1", "autosave_on_changes true", "max_queued_messages 0",
                "log_dest stderr", *lines]  # fmt: skip
        if not any(line.startswith("allow_anonymous") for line in lines):
            told.append("allow_anonymous true")
        if os.getuid() == 0:
            told.append("user root")
        self._config.write_text("\n".join(told) + "\n")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it listens."""
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen([program, "-c", str(self._config)], stderr=log)
        until = time.monotonic() + _PATIENCE_S
        while True:
            assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < until, "mosquitto did not start"
                time.sleep(0.01)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.wait(_PATIENCE_S)

    def publish(self, topic: str, payload: str, qos: int = 1, retain: bool = False, *more: str) -> None:
        """By Mosquitto's own client, as a device would."""
        words = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-t", topic, "-m", payload, "-q", str(qos)]
        subprocess.run([*words, *(["-r"] if retain else []), *more], check=True, timeout=_PATIENCE_S)


@contextmanager
def mosquitto(folder: Path, *lines: str) -> Iterator[Mosquitto]:
    """A Mosquitto with more lines of configuration; stopped at the end."""
    broker = Mosquitto(folder, *lines)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@dataclass(frozen=True)
class Issued:
    """A certificate and its key as PEM."""

    certificate: str
    key: str


def authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """An authority of a test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])
    return _signed(name, name, key.public_key(), key, is_authority=True), key


def issued(by: tuple[x509.Certificate, ec.EllipticCurvePrivateKey], name: str) -> Issued:
    """A certificate of that authority, for 127.0.0.1 and that name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = _signed(subject, by[0].subject, key.public_key(), by[1], is_authority=False)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Issued(pem(certificate), private.decode())


def pem(certificate: x509.Certificate) -> str:
    """A certificate as text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _signed(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, by: ec.EllipticCurvePrivateKey,
    *, is_authority: bool,
) -> x509.Certificate:  # fmt: skip
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if not is_authority:
        named = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        made = made.add_extension(x509.SubjectAlternativeName(named), critical=False)
    return made.sign(by, hashes.SHA256())


class RabbitMq:
    """A RabbitMQ of its own, with its own port mapper, so that it meets no other on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        mapper, distribution = free_port(), free_port()
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.local = 127.0.0.1:{self.port}\nlog.console.level = warning\n"
            "vm_memory_high_watermark.absolute = 400MB\ndisk_free_limit.absolute = 50MB\n"
        )
        (folder / "enabled_plugins").write_text("[].\n")
        self.environment = {
            **os.environ,
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +A 8",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it listens."""
        log = (self.folder / "console.log").open("ab")
        self.process = subprocess.Popen(
            ["/usr/lib/rabbitmq/bin/rabbitmq-server"],
            env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        until = time.monotonic() + _PATIENCE_S
        while True:
            assert self.process.poll() is None, (self.folder / "console.log").read_text()[-3000:]
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as link:
                    link.sendall(b"AMQP\0\0\x09\x01")
                    link.settimeout(5)
                    if link.recv(1):
                        return
            except OSError:
                pass
            assert time.monotonic() < until, (self.folder / "console.log").read_text()[-3000:]
            time.sleep(0.1)

    def send(self, number: signal.Signals) -> None:
        """Send all its processes a signal."""
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it and its port mapper."""
        if self.process is not None and self.process.poll() is None:
            self.send(signal.SIGCONT)
            self.send(number)
            try:
                self.process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def close(self) -> None:
        """`stop`, and end the port mapper that it started."""
        self.stop()
        subprocess.run(["epmd", "-kill"], env=self.environment, capture_output=True, timeout=_PATIENCE_S)


class NatsServer:
    """A NATS server, with JetStream in a folder of its own, that can be killed and started again on its port."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.folder, self.port = folder, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        told = [f"listen: 127.0.0.1:{self.port}", f'jetstream: {{store_dir: "{folder}/streams"}}', *lines]
        (folder / "nats.conf").write_text("\n".join(told) + "\n")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it greets."""
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(["nats-server", "-c", str(self.folder / "nats.conf")], stderr=log)
        until = time.monotonic() + _PATIENCE_S
        while True:
            assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as link:
                    if link.recv(4) == b"INFO":
                        return
            except OSError:
                pass
            assert time.monotonic() < until, "nats-server did not start"
            time.sleep(0.01)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(_PATIENCE_S)


@contextmanager
def nats_server(folder: Path, *lines: str) -> Iterator[NatsServer]:
    """A NATS server with more lines of configuration; stopped at the end."""
    server = NatsServer(folder, *lines)
    server.start()
    try:
        yield server
    finally:
        server.stop()
