"""A box and what it was seen to take: the drill's independent witness."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from core.errors import StackError
from yiju.drills.platform import Identity

_LIMIT: Final = 2**20


class Press:
    """One SOS that a box took.

    Attributes:
        at_ms: when, milliseconds since 1970: it is stored as measured then.
        connected: whether the line was up.
        backlog: how many batches waited for the platform.
    """

    def __init__(self, at_ms: int, connected: bool, backlog: int) -> None:
        self.at_ms = at_ms
        self.connected = connected
        self.backlog = backlog


class WatchedBox:
    """A gateway in a process of its own, started again after each kill, and what it said to have taken.

    Args:
        key: the gateway's key.
        folder: its outbox's.
        advance: called with each reading that is taken.

    Attributes:
        taken: meter readings that are durable, by number.
        presses: SOS presses that are durable.
        kills: how often it was killed.
    """

    def __init__(
        self, key: str, password: str, port: int, folder: Path, advance: Callable[[], None] = lambda: None
    ) -> None:
        self.key = key
        self.taken: list[int] = []
        self.presses: list[Press] = []
        self.kills = 0
        self._next = 0
        self._advance = advance
        self._process: asyncio.subprocess.Process | None = None
        self._log = folder / f"{key}.log"
        self._environment = {
            **os.environ,
            "YIJU_GATEWAY_KEY": key,
            "YIJU_GATEWAY_PASSWORD": password,
            "YIJU_PLATFORM_URL": f"mqtt://127.0.0.1:{port}",
            "YIJU_GATEWAY_FOLDER": str(folder / key),
        }

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "yiju.drills.box",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
                env=self._environment, limit=_LIMIT,
            )  # fmt: skip

    async def take(self, readings: int, *, kill_after: int | None = None) -> None:
        """Has it take readings until `readings` more are witnessed.

        Args:
            kill_after: kill -9 once so many of them were witnessed, while it takes the next ones; it is started again.
        """
        goal = len(self.taken) + readings
        while len(self.taken) < goal:
            first, end = self._next, self._next + goal - len(self.taken)
            self._next = end  # a number that may have been taken is never given again
            self._say(f"take {first} {end}")
            seen = 0
            while (line := await self._hear()) not in ("", "done"):
                self.taken.append(int(line.removeprefix("t ")))
                self._advance()
                seen += 1
                if seen == kill_after:
                    self._kill()
            if line == "":  # it was killed; what it had said by then is heard
                kill_after = None
                await self.start()

    async def press(self) -> None:
        """Has it take an SOS."""
        self._say("press")
        at, connected, backlog = (await self._hear()).removeprefix("p ").split()
        self.presses.append(Press(int(at), connected == "1", int(backlog)))

    async def left(self) -> int:
        """Has it send all it has; how many readings are not acknowledged."""
        self._say("left")
        return int((await self._hear()).removeprefix("l "))

    async def memory_kb(self) -> int:
        """Its resident memory."""
        self._say("memory")
        return int((await self._hear()).removeprefix("m "))

    async def kill(self) -> None:
        """kill -9, and a new start."""
        self._kill()
        if self._process is not None:
            await self._process.wait()
        await self.start()

    async def end(self) -> None:
        """Stops it cleanly; nothing happens to one that has ended already."""
        if self._process is not None and self._process.returncode is None:
            self._say("end")
            await self._process.wait()

    def witnessed(self) -> list[Identity]:
        """All that it was seen to take."""
        return [(self.key, "energy", number) for number in self.taken] + [
            (self.key, "sos", press.at_ms) for press in self.presses
        ]

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            self.kills += 1

    def _say(self, order: str) -> None:
        if self._process is None or self._process.stdin is None:
            raise StackError(f"{self.key} was never started")
        self._process.stdin.write(f"{order}\n".encode())

    async def _hear(self) -> str:
        """The next answer; "" when the process has ended."""
        if self._process is None or self._process.stdout is None:
            raise StackError(f"{self.key} was never started")
        line = (await self._process.stdout.readline()).decode()
        if not line:
            await self._process.wait()
            if self._process.returncode != -9:
                raise StackError(f"{self.key} ended by itself ({self._process.returncode}): see {self._log}")
        return line.strip() if line.endswith("\n") else ""
