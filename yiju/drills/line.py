"""A home's line to the platform's broker that can be cut, and that says things twice and out of order.

A proxy that understands just enough of MQTT to tell packets apart: a batch is never torn, but it may be given twice, or
after the one that was sent after it; so may an acknowledgement on its way back.
"""

import asyncio
import contextlib
from collections.abc import Callable
from random import Random
from typing import Final

_PUBLISH: Final = 3
_HELD_S: Final = 0.1  # a packet that waits to be overtaken waits no longer than that
Pipe = Callable[[asyncio.StreamReader, asyncio.StreamWriter], "asyncio.Task[None]"]


class Line:
    """One gateway's line to the broker at 127.0.0.1:`broker_port`.

    Args:
        random: decides which packets are given twice or late.
        twice, late: the share of the batches and acknowledgements to which that happens.

    Attributes:
        port: where the gateway finds its platform.
        doubled, reordered: how many packets were given twice or late.
    """

    def __init__(self, broker_port: int, random: Random, *, twice: float = 0.0, late: float = 0.0) -> None:
        self._broker_port = broker_port
        self._random = random
        self._twice = twice
        self._late = late
        self._up = True
        self._batches_left: int | None = None
        self._server: asyncio.Server | None = None
        self._ends: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.doubled = 0
        self.reordered = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Ends every connection and takes no new one. What the broker was given already, it has."""
        self._up = False
        for writer, to_broker in self._ends:
            writer.transport.abort()
            to_broker.close()

    def cut_after(self, batches: int) -> None:
        """Cuts the line as soon as it has carried so many more batches: the last one's acknowledgement is lost."""
        self._batches_left = batches

    def mend(self) -> None:
        """Takes connections again."""
        self._up = True

    @property
    def is_up(self) -> bool:
        return self._up

    async def stop(self) -> None:
        self.cut()
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._up:
            writer.transport.abort()
            return
        try:
            from_broker, to_broker = await asyncio.open_connection("127.0.0.1", self._broker_port)
        except OSError:
            writer.transport.abort()
            return
        self._ends.add((writer, to_broker))
        both = [asyncio.create_task(self._carry(reader, to_broker)),
                asyncio.create_task(self._carry(from_broker, writer))]  # fmt: skip
        self._tasks.update(both)
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        self._ends.discard((writer, to_broker))
        writer.transport.abort()
        to_broker.close()
        await asyncio.gather(*both, return_exceptions=True)
        self._tasks.difference_update(both)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries packets one way until either end is gone."""
        held: bytes | None = None
        coming = asyncio.ensure_future(_packet(reader))
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                while True:
                    done, _ = await asyncio.wait({coming}, timeout=None if held is None else _HELD_S)
                    if not done and held is not None:
                        self._give(held, writer)
                        held = None
                        continue
                    packet = coming.result()
                    coming = asyncio.ensure_future(_packet(reader))
                    if held is None and self._happens(self._late, packet):
                        held = packet
                        continue
                    self._give(packet, writer)
                    if self._happens(self._twice, packet):
                        writer.write(packet)
                        self.doubled += 1
                    if held is not None:
                        self._give(held, writer)
                        held = None
                        self.reordered += 1
                    await writer.drain()
            finally:
                coming.cancel()

    def _give(self, packet: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(packet)
        if self._batches_left is not None and packet[0] >> 4 == _PUBLISH and b"/up/" in packet[:150]:
            self._batches_left -= 1
            if self._batches_left == 0:
                self._batches_left = None
                self.cut()

    def _happens(self, share: float, packet: bytes) -> bool:
        """Batches and acknowledgements only: the rest is the protocol's own."""
        if packet[0] >> 4 != _PUBLISH or not (b"/up/" in packet[:150] or b"/down/ack" in packet[:150]):
            return False
        return self._random.random() < share


async def _packet(reader: asyncio.StreamReader) -> bytes:
    """The next MQTT packet, whole."""
    head = await reader.readexactly(2)
    length, shift = head[1] & 127, 7
    while head[-1] & 128:
        head += await reader.readexactly(1)
        length |= (head[-1] & 127) << shift
        shift += 7
    return head + await reader.readexactly(length)
