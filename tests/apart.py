"""Calls in a thread of their own: after Playwright, its event loop counts as running in the thread of the tests."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def apart(call: Callable[[], Result]) -> Result:
    """What the call returns, or raises, from a thread that no event loop runs in."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(call).result()
