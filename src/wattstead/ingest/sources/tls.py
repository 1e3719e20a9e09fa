"""The TLS of a client that connects to a broker or server with PEM texts from the settings."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path

from wattstead.ingest.sources.source_protocol import SourceFailed


def client_context(ca: str, certificate: str, private_key: str) -> ssl.SSLContext:
    """Trusts whom the system trusts, or only ``ca``; shows the certificate where one is given.

    Raises `SourceFailed`, without hope, for PEM that cannot be read.
    """
    try:
        context = ssl.create_default_context(cadata=ca or None)
    except (ssl.SSLError, ValueError) as fault:
        raise SourceFailed(f"the authority's certificate is no PEM: {fault}", hopeless=True) from None
    if not certificate:
        return context
    handle, name = tempfile.mkstemp(prefix="wattstead-")  # readable by us alone
    try:
        with os.fdopen(handle, "w") as file:
            file.write(f"{certificate.strip()}\n{private_key.strip()}\n")
        context.load_cert_chain(name, password=lambda: b"")
    except (ssl.SSLError, ValueError) as fault:
        raise SourceFailed(
            f"client certificate and key do not fit or are no PEM (keys without passphrase): {fault}", hopeless=True
        ) from None
    finally:
        Path(name).unlink()
    return context
