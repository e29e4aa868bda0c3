"""The limit for ingest: a paho subscriber that only counts.

    python -m bench.bare_subscriber URL CLIENT_ID MESSAGES

Prints `seconds since its first message` when it has MESSAGES, and ends. With 0 it only makes the broker remember it.
"""

import sys
import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from core.address import parse_broker_url
from core.wire import ROOT


def main() -> None:
    url, client_id, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
    address = parse_broker_url(url, "the broker's URL")
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
    client.username_pw_set(address.user, address.password)
    count = 0

    def on_connect(client: mqtt.Client, *_: Any) -> None:
        client.subscribe(f"{ROOT}/+/up/+", 1)

    def on_subscribe(client: mqtt.Client, *_: Any) -> None:
        if not wanted:
            client.disconnect()

    def on_message(client: mqtt.Client, _data: Any, _message: mqtt.MQTTMessage) -> None:
        nonlocal count
        count += 1
        if count == wanted:
            print(time.monotonic(), flush=True)
            client.disconnect()

    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.on_message = on_message
    client.connect(address.host, address.port)
    client.loop_forever()


if __name__ == "__main__":
    main()
