"""Devices at brokers, through the whole product: from a message to the history that the API answers with."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.brokers import RabbitMq, mosquitto

from wattstead.registry.places.sources import Given
from wattstead.registry.registry import Registry
from wattstead.registry.seal import Seal


@contextmanager
def source(product: Any, eyes: Any, protocol: str, settings: dict[str, Any], **secrets: str) -> Iterator[None]:
    """A source of a site of the owner, while this is open."""
    site = eyes.http.get("/api/v1/points").json()[0]["site_id"]
    registry = Registry(f"sqlite:///{product.folder / 'registry.db'}", seal=Seal.of_file(product.folder / "seal.key"))
    try:
        given = Given(name=f"{protocol} of a test", settings=settings, secrets=secrets)
        made = registry.create_source(site, protocol, given)
        yield
        registry.delete_source(made.id)
    finally:
        registry.close()


def test_a_device_at_a_broker(product: Any, eyes: Any, tmp_path: Path) -> None:
    now_s = int(time.time())
    with mosquitto(tmp_path / "broker") as broker:
        broker.publish("emon/journey", json.dumps({"power1": 812.5, "time": now_s - 10}), retain=True)
        with source(product, eyes, "mqtt", {"host": "127.0.0.1", "port": broker.port}):
            eyes.stored("emon/journey/power1", [(now_s - 10, 812.5)])
            broker.publish("emon/journey", json.dumps({"power1": 813, "time": now_s - 5}))
            eyes.stored("emon/journey/power1", [(now_s - 10, 812.5), (now_s - 5, 813.0)])


def test_a_recording_through_rabbitmq(
    product: Any, eyes: Any, rabbitmq: RabbitMq, verb: Callable[..., str], tmp_path: Path
) -> None:
    now_s = int(time.time())
    table = tmp_path / "meter.csv"
    table.write_text(f"time,kW\n{now_s - 20},1.25\n{now_s - 10},1.5\n")
    to = f"amqp://guest:guest@127.0.0.1:{rabbitmq.port}"
    verb("simulate", "device", "--csv", table, "--device", "journey", "--pace", "0", "--to", to)
    with source(product, eyes, "amqp", {"host": "127.0.0.1", "port": rabbitmq.port}, password="guest"):
        eyes.stored("device_consumption/journey/power", [(now_s - 20, 1.25), (now_s - 10, 1.5)])
        verb("simulate", "device", "--csv", table, "--device", "posted", "--pace", "0", "--to", product.url,
             "--key", product.write_key)  # fmt: skip
        eyes.stored("posted/power", [(now_s - 20, 1.25), (now_s - 10, 1.5)])
        assert eyes.rows("posted/")["posted/power"]["suggestion"]["unit"] == "kW"
