"""What a gateway's watchdog says of devices and hubs, as the platform's alerts understand it."""

from datetime import timedelta

from tests.conftest import NOW
from tests.integration.alerts.world import HomeWorld, World

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def open_kinds(world: World) -> list[str]:
    return [alert["kind"] for alert in world.alerts() if alert["state"] != "resolved"]


def home_with(world: World, *kinds: str) -> tuple[HomeWorld, list[int]]:
    """A home that was heard just now, with devices that spoke an hour ago."""
    home = world.home("h1")
    home.heard(NOW)
    devices = [home.device(kind, "living") for kind in kinds]
    for device in devices:
        home.state(device, "battery", 90, NOW - HOUR)
    return home, devices


def test_a_device_that_the_gateway_finds_silent_is_an_alert_until_it_speaks(world: World) -> None:
    home, (plug, _) = home_with(world, "plug", "motion")
    home.state(plug, "silent", 1, NOW)
    world.tick(NOW)
    assert open_kinds(world) == ["device_silent"]
    home.state(plug, "power", 5, NOW + MINUTE)
    home.state(plug, "silent", 0, NOW + MINUTE)
    world.tick(NOW + MINUTE)
    assert open_kinds(world) == []


def test_a_hub_that_is_down_is_one_alert_and_no_device_is_accused(world: World) -> None:
    home, devices = home_with(world, "motion", "contact", "sos", "smoke")
    for device in devices:
        home.state(device, "silent", 2, NOW)
    home.state(home.itself, "hubs_down", 1, NOW)
    world.tick(NOW)
    assert open_kinds(world) == ["hub_down"]
    (alert,) = world.alerts("hub_down")
    assert alert["parameters"]["sensors"] == 4
    home.heard(NOW + 2 * 24 * HOUR)
    world.tick(NOW + 2 * 24 * HOUR)  # beyond every device's own limit
    assert sorted(open_kinds(world)) == ["cannot_watch", "hub_down"]
    assert len(world.alerts("hub_down")) == 1


def test_a_hub_that_is_back_gives_its_devices_the_benefit_of_the_doubt(world: World) -> None:
    home, devices = home_with(world, "motion", "contact")
    for device in devices:
        home.state(device, "silent", 2, NOW)
    world.tick(NOW)
    assert "hub_down" in open_kinds(world)
    for device in devices:
        home.state(device, "silent", 0, NOW + 10 * MINUTE)
    home.heard(NOW + 10 * MINUTE)
    world.tick(NOW + 10 * MINUTE)
    assert open_kinds(world) == []


def test_a_gateway_that_is_offline_mutes_its_hub(world: World) -> None:
    home, devices = home_with(world, "motion")
    home.state(devices[0], "silent", 2, NOW)
    home.will(NOW)
    world.tick(NOW + 5 * MINUTE)
    assert open_kinds(world) == ["gateway_offline"]


def test_a_learned_limit_holds_instead_of_the_policys(world: World) -> None:
    home, (slow, quick) = home_with(world, "contact", "motion")
    home.state(slow, "silence_limit", 48 * 3600, NOW)
    home.state(quick, "silence_limit", 3 * 3600, NOW)
    later = NOW + 3 * HOUR + 5 * MINUTE  # 3 hours after its gateway connected
    home.heard(later)
    world.tick(later)
    (alert,) = world.alerts("device_silent")
    assert (alert["parameters"]["device_id"], alert["parameters"]["limit_s"]) == (quick, 3 * 3600)
    later = NOW + 30 * HOUR  # the policy's 26 hours are over
    home.state(quick, "battery", 90, later)
    home.heard(later)
    world.tick(later)
    assert open_kinds(world) == []


def test_what_the_gateway_says_of_a_device_is_no_word_of_the_device(world: World) -> None:
    home, (plug,) = home_with(world, "plug")
    later = NOW + 27 * HOUR
    home.heard(later)
    for metric in ("silent", "silence_limit", "test_asked"):
        home.state(plug, metric, 0, later)
    world.tick(later)
    assert "device_silent" in open_kinds(world)
