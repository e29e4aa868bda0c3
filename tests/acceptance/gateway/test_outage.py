"""10,000 readings are taken while the line is down: a reconnect, and a gateway killed after, midway and twice.

What is in use today, on such a machine (thingsboard-gateway 3.8.5): the store in memory lost all when killed; the one
in files 9,890 on a reconnect; the one in SQLite 796 when killed midway and 5,348 when killed twice; a mosquitto bridge
1,769 when killed midway.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from core.clock import SystemClock
from tests.apart import apart
from yiju.drills.line import Line
from yiju.drills.platform import DrillPlatform
from yiju.drills.witness import WatchedBox

READINGS = 10_000
BATCHES = READINGS // 200
Story = Callable[[WatchedBox, Line], Awaitable[None]]


async def reconnect(box: WatchedBox, line: Line) -> None:
    await box.take(READINGS)


async def killed_after(box: WatchedBox, line: Line) -> None:
    await box.take(READINGS)
    await box.kill()


async def killed_midway(box: WatchedBox, line: Line) -> None:
    await box.take(READINGS)
    await sent(line, BATCHES // 2)
    await box.kill()


async def killed_twice(box: WatchedBox, line: Line) -> None:
    await box.take(READINGS, kill_after=READINGS // 2)
    await sent(line, BATCHES // 2)
    await box.kill()


STORIES: dict[str, Story] = {
    "reconnect": reconnect,
    "killed-after": killed_after,
    "killed-midway": killed_midway,
    "killed-twice": killed_twice,
}


async def sent(line: Line, batches: int) -> None:
    """The line comes back, carries so many batches, and is gone again."""
    line.cut_after(batches)
    line.mend()
    while line.is_up:
        await asyncio.sleep(0.01)


async def play(platform: DrillPlatform, key: str, folder: Path) -> tuple[str, WatchedBox]:
    """Takes the readings without a line, lets the story happen, and waits until nothing is left."""
    line = Line(platform.broker_port, Random(1))
    line.cut()
    await line.start()
    box = WatchedBox(key, platform.passwords[key], line.port, folder)
    await box.start()
    await STORIES[key](box, line)
    line.mend()
    while (await box.left())[0]:
        await asyncio.sleep(0.05)
    await box.end()
    await line.stop()
    return key, box


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DrillPlatform, dict[str, WatchedBox]]]:
    """All four at once, a gateway each at one platform: most of their time is waiting."""
    folder = tmp_path_factory.mktemp("outage")
    platform = DrillPlatform(folder, STORIES, durable=False)

    async def all_of_them() -> dict[str, WatchedBox]:
        return dict(await asyncio.gather(*(play(platform, key, folder) for key in STORIES)))

    platform.start(SystemClock().now())
    yield platform, apart(lambda: asyncio.run(asyncio.wait_for(all_of_them(), 200)))
    platform.stop()


@pytest.mark.parametrize("story", STORIES)
def test_nothing_is_lost_and_nothing_doubled(played: tuple[DrillPlatform, dict[str, WatchedBox]], story: str) -> None:
    platform, boxes = played
    assert len(boxes[story].taken) >= READINGS
    counted = platform.count(boxes[story].witnessed(), of=story)
    assert (counted.stored, counted.lost, counted.doubled) == (len(boxes[story].taken), 0, 0)
