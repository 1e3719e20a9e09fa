"""What the settings say of publishing: an address that is none is told of, and its password is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from wattstead.publishing import publisher_of
from wattstead.settings import Settings, SettingsInvalid

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "address",
    [
        "mqtt://u:hun#ter2@h/x", "mqtt://u:1#ter2@h/x", "mqtt://u:1?ter2@h/x", "mqtt://u:ter2@h:99999/x",
        "mqtt://u:ter2@[h/x", "amqp://u:ter2@h/x", "mqtt://",
    ],
)  # fmt: skip
def test_no_address_of_a_broker(address: str, tmp_path: Path) -> None:
    nobody: Any = None
    settings = Settings(folder=tmp_path, mqtt_publish=SecretStr(address), mqtt_publish_sites="all")
    with pytest.raises(SettingsInvalid, match="# / \\? in a password as %23") as refused:
        publisher_of(settings, nobody, nobody)
    assert "ter2" not in str(refused.value) and "hun" not in str(refused.value)
