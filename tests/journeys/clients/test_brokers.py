"""Devices at brokers, through the whole product: from a message to the history that the API answers with."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pika
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


def test_means_of_hours_are_all_their_energy(product: Any, eyes: Any, rabbitmq: RabbitMq, eventually: Any) -> None:
    """Mean power since the last message: an hour at 1.5 kW is 1.5 kWh, a minute within it 25 Wh."""
    hour_s = int(time.time()) // 3600 * 3600 - 5 * 3600
    told = [(0, 9.0), (1, 1.5), (3, 0.6), (3, 0.6), (2, 0.9)]  # hours; one again, one late
    channel = (connection := pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", rabbitmq.port))).channel()
    channel.queue_declare("means", durable=True)
    for hours, kw in told:
        body = {"device_id": "m", "timestamp": hour_s + hours * 3600, "measurement_value": kw}
        channel.basic_publish("", "means", json.dumps(body))
    connection.close()
    with source(
        product, eyes, "amqp", {"host": "127.0.0.1", "port": rabbitmq.port, "queue": "means"}, password="guest"
    ):
        stored = [(hour_s, 9.0), (hour_s + 3600, 1.5), (hour_s + 7200, 0.9), (hour_s + 10_800, 0.6)]
        eyes.stored("means/m/mean_power", stored)
        point = eyes.rows("means/")["means/m/mean_power"]
        change = {name: point["suggestion"][name] for name in ("kind", "quantity", "unit")}
        answer = eyes.http.get(f"/api/v1/points/{point['id']}")
        tag = {"if-match": answer.headers["etag"]}
        adopted = eyes.http.patch(f"/api/v1/points/{point['id']}", json=change, headers=tag).json()
        assert (adopted["kind"], adopted["max_gap_s"], adopted["amount_unit"]) == ("mean", 86_400, "Wh")

        def amounts(step: str, start_s: int, end_s: int) -> list[float]:
            query = {"points": point["id"], "start": start_s * 1000, "end": end_s * 1000, "step": step}
            told = eyes.http.get("/api/v1/series", params=query).json().get("points", [{}])[0]
            return [one or 0.0 for one in told.get("amount", ())]

        eventually(lambda: amounts("1h", hour_s - 3600, hour_s + 14_400), lambda got: sum(got) == 3_000)
        assert amounts("1h", hour_s - 3600, hour_s + 14_400) == [0, 1_500, 900, 600, 0]
        assert amounts("1min", hour_s, hour_s + 3600) == [25.0] * 60


def test_a_recording_through_rabbitmq(
    product: Any, eyes: Any, rabbitmq: RabbitMq, verb: Callable[..., str], tmp_path: Path
) -> None:
    now_s = int(time.time())
    table = tmp_path / "meter.csv"
    table.write_text(f"time,kW\n{now_s - 20},1.25\n{now_s - 10},1.5\n")
    to = f"amqp://guest:guest@127.0.0.1:{rabbitmq.port}"
    verb("simulate", "device", "--csv", table, "--device", "journey", "--pace", "0", "--to", to)
    with source(product, eyes, "amqp", {"host": "127.0.0.1", "port": rabbitmq.port}, password="guest"):
        eyes.stored("device_consumption/journey/mean_power", [(now_s - 20, 1.25), (now_s - 10, 1.5)])
        verb("simulate", "device", "--csv", table, "--device", "posted", "--pace", "0", "--to", product.url,
             "--key", product.write_key)  # fmt: skip
        eyes.stored("posted/power", [(now_s - 20, 1.25), (now_s - 10, 1.5)])
        assert eyes.rows("posted/")["posted/power"]["suggestion"]["unit"] == "kW"
