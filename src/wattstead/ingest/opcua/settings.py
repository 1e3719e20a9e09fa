"""What a person sets for an OPC UA source: the server, how it is talked to, and which nodes are wanted."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from wattstead.ingest.sources.source_protocol import WHERE, Secret


class PickedNode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A node whose values become readings."""

    node: Annotated[
        str,
        msgspec.Meta(
            title="Node",
            description="Such as ns=2;s=Meter.Power or nsu=urn:maker;i=1001.",
            min_length=3,
            max_length=1_000,
        ),
    ]
    name: Annotated[
        str,
        msgspec.Meta(title="Name", description="Of its readings, below the prefix; empty: the node.", max_length=180),
    ] = ""
    unit: Annotated[str, msgspec.Meta(title="Unit", description="Such as W, kWh, V; empty: none.", max_length=20)] = ""
    factor: Annotated[float, msgspec.Meta(title="Factor", description="What each value is multiplied with.")] = 1.0


class OpcuaSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One server and the nodes of it."""

    url: Annotated[
        str,
        msgspec.Meta(
            title="Address",
            description="Such as opc.tcp://10.0.0.5:4840.",
            pattern="^opc\\.tcp://",
            max_length=500,
            extra_json_schema=WHERE,
        ),
    ]
    security: Annotated[
        Literal["none", "Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"],
        msgspec.Meta(title="Security policy", description="none: anybody on the way can read and change values."),
    ] = "none"
    mode: Annotated[
        Literal["sign", "sign-and-encrypt"], msgspec.Meta(title="Security mode", description="With a security policy.")
    ] = "sign-and-encrypt"
    server_fingerprint: Annotated[
        str,
        msgspec.Meta(
            title="Fingerprint of the server",
            description="SHA-256 of the certificate that is trusted; looking around shows it.",
            pattern="^([0-9a-fA-F]{2}:?){32}$|^$",
        ),
    ] = ""
    user: Annotated[str, msgspec.Meta(title="User", description="Empty: nobody in particular.", max_length=200)] = ""
    password: Annotated[
        Secret, msgspec.Meta(title="Password", description="Goes over an encrypted connection only.")
    ] = ""
    user_certificate: Annotated[
        str, msgspec.Meta(title="Certificate of the user", description="PEM, instead of a password.", max_length=20_000)
    ] = ""
    user_key: Annotated[
        Secret, msgspec.Meta(title="Key of the user", description="Of that certificate, PEM.", max_length=20_000)
    ] = ""
    publish_s: Annotated[
        float,
        msgspec.Meta(
            title="Publishing interval, in seconds", description="How often values are sent.", ge=0.05, le=3_600
        ),
    ] = 1.0
    sample_s: Annotated[
        float,
        msgspec.Meta(
            title="Sampling interval, in seconds",
            description="How often the server looks; 0: as fast as it can.",
            ge=0,
            le=3_600,
        ),
    ] = 1.0
    queue: Annotated[
        int,
        msgspec.Meta(
            title="Queue",
            description="Values of a node that the server keeps between two sendings; 0: enough.",
            ge=0,
            le=100_000,
        ),
    ] = 0
    unchanged: Annotated[
        bool,
        msgspec.Meta(title="Unchanged too", description="Values that only their time has changed of are sent too."),
    ] = False
    timeout_s: Annotated[
        float, msgspec.Meta(title="Time-out, in seconds", description="For one answer.", ge=0.1, le=120)
    ] = 10.0
    prefix: Annotated[
        str, msgspec.Meta(title="Prefix", description="What the addresses of its points begin with.", max_length=150)
    ] = "opcua/"
    nodes: Annotated[
        tuple[PickedNode, ...],
        msgspec.Meta(title="Nodes", description="Browse the server to pick them.", max_length=20_000),
    ] = ()

    @property
    def queue_size(self) -> int:
        """Values that the server keeps of a node, so that none is lost between two sendings, twice for what is late."""
        if self.queue:
            return self.queue
        return max(2, 2 * round(self.publish_s / max(self.sample_s, 0.01)) + 2)

    @property
    def fingerprint(self) -> str:
        """The trusted certificate's SHA-256, as it is compared."""
        return self.server_fingerprint.replace(":", "").lower()
