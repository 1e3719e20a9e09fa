"""The peer of MQTT: what people write to bring a broker's readings into InfluxDB, a script of paho-mqtt.

Lines go in bodies of at most 1,000, as Telegraf's do; paho acknowledges a message when it was handed over here, before
InfluxDB has it. Runs with Debian's Python, for which there is python3-paho-mqtt.

``/usr/bin/python3 bench/paho_to_influx.py BROKER_PORT INFLUX_PORT COUNT QOS [FIRST]`` says ``ready``, ``warm`` and
``done`` as ``taking.py`` does.
"""

import http.client
import json
import sys
import threading

import paho.mqtt.client as mqtt

BATCH, FLUSH_S = 1_000, 1.0


def main(broker: int, influx: int, count: int, qos: int, first: int) -> None:
    """Receive in paho's thread, write in this one."""
    waiting: list[str] = []
    full, ready, lock = threading.Event(), threading.Event(), threading.Lock()

    def subscribed(*told: object) -> None:
        ready.set()

    def came(client: object, userdata: object, message: mqtt.MQTTMessage) -> None:
        found = json.loads(message.payload)
        time_ns = int(found.pop("time") * 1e6) * 1_000
        fields = ",".join(f"{name}={value}" for name, value in found.items())
        with lock:
            waiting.append(f"emon,node={message.topic.split('/')[1]} {fields} {time_ns}")
            if len(waiting) >= BATCH:
                full.set()

    client = mqtt.Client("peer", clean_session=False)
    client.on_message, client.on_subscribe = came, subscribed
    client.connect("127.0.0.1", broker)
    client.subscribe("emon/#", qos)
    client.loop_start()
    ready.wait(30)
    print("ready", flush=True)
    link = http.client.HTTPConnection("127.0.0.1", influx)
    written = 0
    for word, wanted in (("warm", first), ("done", first + count)):
        while written < wanted:
            full.wait(FLUSH_S)
            full.clear()
            with lock:
                lines, waiting[:] = waiting[:], []
            for start in range(0, len(lines), BATCH):
                part = lines[start : start + BATCH]
                link.request("POST", "/write?db=bench&precision=ns", "\n".join(part).encode())
                answer = link.getresponse()
                answer.read()
                if answer.status != 204:
                    raise SystemExit(f"InfluxDB answers {answer.status}")
                written += len(part)
        print(f"{word} {written:,} messages written", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(*(int(one) for one in [*sys.argv[1:], "0"][:5]))
