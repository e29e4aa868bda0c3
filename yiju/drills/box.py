"""A gateway in a process that may be killed at any moment: `python -m yiju.drills.box`, settings from `YIJU_*`.

Orders come on standard input, one a line, and are answered on standard output. What was answered is durable: the
answers are the drill's witness.

    take 5 8   takes a meter's readings 5, 6 and 7, one message each; "t 5", "t 6" ... as each is taken, then "done"
    press      takes an SOS; "p 1700000000000 1 12": its time, whether the line is up, how many batches wait
    left       "l 340": how many readings are not acknowledged
    memory     "m 41234": the process's resident memory in kB
    end        stops cleanly
"""

import os
import sys
import threading
from pathlib import Path
from typing import Final

from core.clock import Clock, SystemClock
from core.logs import configure_logs
from core.settings import read_settings
from core.wire import to_ms
from gateway.gateway import Gateway
from gateway.settings import Settings
from gateway.true_time import this_machine
from yiju.embedded.child import end_with_parent

METER: Final = "tasmota/meter"
BUTTON: Final = "zigbee2mqtt/sos"
_TICK_S: Final = 1.0


def main() -> None:
    end_with_parent()
    configure_logs("box", as_json=True, level="WARNING")
    clock = SystemClock()
    gateway = Gateway(read_settings(Settings, os.environ), clock, this_machine())
    gateway.start()
    ended = threading.Event()
    ticker = threading.Thread(target=_tick, args=(gateway, clock, ended), daemon=True)
    ticker.start()
    _obey(gateway, clock)
    ended.set()
    ticker.join()
    gateway.stop()


def _tick(gateway: Gateway, clock: Clock, ended: threading.Event) -> None:
    while not ended.wait(_TICK_S):
        gateway.tick(clock.now())


def _obey(gateway: Gateway, clock: Clock) -> None:
    pressed = 0
    for line in sys.stdin:
        match line.split():
            case ["take", first, end]:
                for number in range(int(first), int(end)):
                    gateway.receive("tele/meter/SENSOR", b'{"ENERGY":{"Total":%d}}' % number)
                    _say(f"t {number}")
                _say("done")
            case ["press"]:
                pressed = max(pressed + 1, to_ms(clock.now()))
                state = f"{int(gateway.connected)} {gateway.depth().batches}"
                gateway.receive("zigbee2mqtt/sos", b'{"sos":true,"last_seen":%d}' % pressed)
                _say(f"p {pressed} {state}")
            case ["left"]:
                gateway.flush()
                _say(f"l {gateway.unacknowledged()}")
            case ["memory"]:
                _say(f"m {_resident_kb()}")
            case _:
                return


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _resident_kb() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0])


if __name__ == "__main__":
    main()
