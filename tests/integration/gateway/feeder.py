"""A gateway process for tests: takes a meter's message for each line of standard input, and says when it is taken;
for the line "flush" it sends all it has and says how many readings are not acknowledged yet.

Usage: python -m tests.integration.gateway.feeder FOLDER PLATFORM_URL
"""

import sys

from core.clock import SystemClock
from core.logs import configure_logs
from gateway.gateway import Gateway
from gateway.settings import Settings


def main() -> None:
    configure_logs("feeder", as_json=True)
    folder, url = sys.argv[1:]
    clock = SystemClock()
    gateway = Gateway(Settings("gw-1", "secret", url, gateway_folder=folder), clock)
    gateway.start()
    for line in sys.stdin:
        if line.strip() == "flush":
            gateway.flush()
            print(gateway.unacknowledged(), flush=True)
            continue
        number = int(line)
        topic, payload = (
            ("zigbee2mqtt/Radar", b'{"fall_status":"fall_alarm","temperature":%d}' % number)
            if number % 10 == 0
            else ("zigbee2mqtt/Climate", b'{"temperature":%d}' % number)
        )
        gateway.receive(topic, payload)
        print(number, flush=True)
    gateway.stop()


if __name__ == "__main__":
    main()
