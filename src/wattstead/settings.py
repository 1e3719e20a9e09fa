"""One settings object for every process: defaults, then ``wattstead.toml``, then ``WATTSTEAD_…`` variables.

It holds figures and addresses, no behaviour; rooms get what they need as arguments and never read it themselves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from wattstead.ingest.http.clear import local
from wattstead.ingest.sources.outward import networks
from wattstead.metering.errors import WattsteadError
from wattstead.metering.quantity import Kind, Quantity


class SettingsInvalid(WattsteadError):
    """A setting that is not known, or has a value that it cannot have; each is named."""


class KeepRule(BaseModel):
    """How long one class of points is kept: those of a quantity, of a kind, or of both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity: Quantity | None = None
    kind: Kind | None = None
    raw_days: int = Field(default=0, ge=0)
    minute_days: int = Field(default=0, ge=0)
    quarter_days: int = Field(default=0, ge=0)
    replaced_days: int = Field(default=0, ge=0)


class Settings(BaseSettings):
    """Every setting of the product. A variable is named ``WATTSTEAD_`` plus the name in capitals."""

    model_config = SettingsConfigDict(env_prefix="WATTSTEAD_", toml_file="wattstead.toml", extra="forbid")

    folder: Path = Path("data")
    """Where everything lives: the store, the journal, the registry."""
    host: str = "127.0.0.1"
    """Address to listen on; only this machine unless said otherwise."""
    port: int = Field(default=8086, ge=0, le=65535)
    """Port to listen on; 0 picks a free one."""
    base_path: str = Field(default="", pattern=r"^(/[A-Za-z0-9._~-]+)*$")
    """Path prefix below which a proxy serves the application, such as ``/energy``."""
    tls: Literal["", "off", "auto", "file", "acme"] = ""
    """``off``: plain HTTP, for this machine alone or behind a proxy; ``auto``: a certificate of an authority of this
    machine's own; ``file``: `tls_certificate` and `tls_key`; ``acme``: from `acme_directory`; empty: ``off`` on a
    loopback address or with `trust_forwarded`, else ``auto``."""
    tls_certificate: Path | None = None
    """PEM file of the certificate, leaf first, with those between it and its root; looked at every two seconds."""
    tls_key: Path | None = None
    """PEM file of its key, without a passphrase; empty: it is in `tls_certificate`."""
    tls_names: str = ""
    """Names and addresses people reach this machine under, with commas, beside those it knows itself."""
    acme_directory: str = Field(default="https://acme-v02.api.letsencrypt.org/directory", pattern=r"^https://\S+$")
    """Where an authority that speaks RFC 8555 describes itself; using it means agreeing to its terms."""
    acme_email: str = ""
    """Whom that authority writes to when something is wrong."""
    acme_trust: str = ""
    """PEM file of certificates by which that authority itself is known; empty: those that everybody knows."""
    http_port: int | None = Field(default=None, ge=0, le=65535)
    """Plain HTTP for what must be reached before TLS, and the way to https; empty: 80 with ``acme``, the port after
    the main one with ``auto``, else none; 0 picks a free one."""
    plain_port: int | None = Field(default=None, ge=0, le=65535)
    """Plain HTTP for readings alone, by write keys that allow it, from devices that cannot do TLS; empty: none."""
    trust_forwarded: bool = False
    """Take prefix, scheme and client address from ``X-Forwarded-Prefix``, ``-Proto`` and ``-For``: only behind a proxy
    of ours that sets or removes them, or anybody could pretend to be anywhere."""
    public_url: str = Field(default="", pattern=r"^(https?://[^\s/?#@\\]+(/[A-Za-z0-9._~/-]*)?)?$")
    """Where people reach the pages, such as ``https://energy.example.org``: links in mails begin with it, passkeys and
    outside logins are bound to it; empty: the address that is listened on."""
    smtp_host: str = ""
    """SMTP server that takes mails; empty: no mail is sent, links are shown to the inviter and told in the log, and
    e-mail addresses are not verified."""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    """Port of the SMTP server."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """``starttls``: encrypted after the greeting; ``tls``: from the first byte; ``none``: only for this machine."""
    smtp_user: str = ""
    """Name to sign in to the SMTP server with; empty: without."""
    smtp_password: SecretStr = SecretStr("")
    """Password to that name."""
    smtp_sender: str = "Wattstead <wattstead@localhost>"
    """From whom mails come."""
    smtp_authority: str = ""
    """File of certificates by which the SMTP server is known, beside the system's."""
    oidc_issuer: str = ""
    """OpenID Connect provider to sign in with, such as ``https://login.example.org/realm``; empty: none."""
    oidc_client_id: str = ""
    """By which name the provider knows this installation."""
    oidc_client_secret: SecretStr = SecretStr("")
    """The secret to that name."""
    oidc_name: str = "single sign-on"
    """What the button to sign in says."""
    registry_url: str = ""
    """SQLAlchemy address of the registry; empty: SQLite in ``folder``."""
    store_address: SecretStr = SecretStr("")
    """Address of a ClickHouse server (``http://user:password@host:port/database``); empty: the embedded store."""
    store_memory_bytes: int = Field(default=1_500_000_000, ge=200_000_000)
    """Most memory the embedded store may use."""
    store_silence_s: float = Field(default=60.0, ge=1)
    """An embedded store that runs and answers nothing for so long is ended and started again."""
    owner_email: str = "owner@localhost.localdomain"
    """The owner created at first start."""
    journal_limit_bytes: int = Field(default=4_000_000_000, ge=1_000_000)
    """Unconsumed bytes in the journal above which senders get 503."""
    journal_keep_bytes: int = Field(default=5_000_000_000, ge=0)
    """Consumed bytes the journal keeps for rebuilding."""
    journal_keep_s: float = Field(default=86_400.0, ge=0)
    """How long consumed journal files are kept."""
    store_every_s: float = Field(default=5.0, gt=0)
    """How often collected readings are written to the store."""
    key_rate: float = Field(default=200_000.0, gt=0)
    """Readings per second that one key may send before it gets 429."""
    source_rate: float = Field(default=50_000.0, gt=0)
    """Readings per second that one source may bring unless it was told otherwise; beyond them it is slowed."""
    source_refused_networks: str = "169.254.0.0/16, fe80::/10"
    """Networks, with commas, that no source may reach from here; as they are, those in which clouds keep the
    credentials of their machines."""
    future_limit_s: float = Field(default=86_400.0, ge=0)
    """How far ahead of this machine's clock a reading may lie."""
    mqtt_port: int | None = Field(default=None, ge=0, le=65535)
    """Port that devices publish to with MQTT where there is no broker, by write keys as passwords; empty: none."""
    mqtt_host: str = "127.0.0.1"
    """Address of that port; only this machine unless said otherwise."""
    mqtt_tls: bool = False
    """TLS at that port, with the certificate of `tls`; without it, keys from other machines must allow plain HTTP."""
    mqtt_publish: SecretStr = SecretStr("")
    """Broker that live values are published to, as ``mqtt://user:password@host:1883/prefix`` or ``mqtts://…``; the
    prefix of the topics is ``wattstead`` unless said otherwise; empty: none."""
    mqtt_publish_sites: str = ""
    """Whose values: ids of sites with commas, or ``all``."""
    mqtt_publish_authority: str = ""
    """File of certificates by which that broker is known; empty: those of the system."""
    mqtt_publish_qos: Literal[0, 1] = 0
    """QoS of what is published."""
    mqtt_publish_retain: bool = True
    """Whoever subscribes later gets the last value at once."""
    mqtt_publish_discovery: bool = True
    """Tell Home Assistant of every point, so that it appears there by itself."""
    mqtt_publish_every_s: float = Field(default=10.0, ge=0.1)
    """At most one value of a point in so long: the last."""
    raw_days: int = Field(default=0, ge=0)
    """Days raw readings are kept; 0 for ever."""
    minute_days: int = Field(default=0, ge=0)
    """Days minute rollups are kept; 0 for ever."""
    quarter_days: int = Field(default=0, ge=0)
    """Days quarter-hour rollups are kept; 0 for ever. Those of days stay."""
    replaced_days: int = Field(default=0, ge=0)
    """Days values are kept that a correction took the place of; 0 for ever."""
    keep: tuple[KeepRule, ...] = ()
    """Rules for classes of points, before the four above; see below."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @field_validator("source_refused_networks")
    @classmethod
    def _networks(cls, text: str) -> str:
        networks(text)
        return text

    @property
    def tls_mode(self) -> str:
        """`tls` with the default filled in: ``off``, ``auto``, ``file`` or ``acme``."""
        if self.tls:
            return self.tls
        return "off" if local(self.host) or self.trust_forwarded else "auto"

    def http_port_beside(self, port: int) -> int | None:
        """`http_port` with the default filled in; ``port`` is the main one, 0 for any."""
        if self.http_port is not None:
            return self.http_port
        if self.tls_mode == "acme":
            return 80
        return None if self.tls_mode != "auto" else (port + 1 if port else 0)

    @property
    def registry_address(self) -> str:
        """The registry's SQLAlchemy address, with the default filled in."""
        return self.registry_url or f"sqlite:///{(self.folder / 'registry.db').resolve()}"


def settings_of(**given: Any) -> Settings:
    """The settings with what is given on the command line; raises `SettingsInvalid`."""
    try:
        return Settings(**given)
    except ValidationError as error:
        places = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise SettingsInvalid(
            f"settings, from options, WATTSTEAD_ variables or wattstead.toml: {'; '.join(places)}"
        ) from None
    except ValueError as error:
        raise SettingsInvalid(f"wattstead.toml cannot be read: {error}") from error
