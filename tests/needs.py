"""What a test needs and a machine may lack."""

import os

import pytest


def need(condition: bool, sentence: str) -> None:
    """Skips the test when `condition` does not hold; with YIJU_TEST_ALL=1 it fails instead.

    Args:
        sentence: what is missing and how to get it, e.g. "mosquitto is not installed: apt-get install mosquitto".
    """
    if condition:
        return
    if os.environ.get("YIJU_TEST_ALL") == "1":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
