"""docker-compose.yml names only what exists, and asks for every secret instead of bringing one."""

import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from core.settings import describe_settings
from tests.integration.deploy.compose import ROOT, VARIABLE, own_services, services
from yiju.checks.documentation import known_commands
from yiju.services import SERVICES, CommonSettings, settings_of
from yiju.settings import AccountsSettings, PrepareSettings, StoreSettings

TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
OTHER: dict[str, type[msgspec.Struct]] = {"store": StoreSettings, "broker-accounts": AccountsSettings}


@pytest.mark.parametrize("name", own_services())
def test_every_command_exists(name: str) -> None:
    words = own_services()[name]["command"]
    assert words[0] == "yiju"
    commands = known_commands()
    assert words[1] in commands
    if commands[words[1]] and len(words) > 2:
        assert words[2] in commands[words[1]]


@pytest.mark.parametrize("name", own_services())
def test_every_setting_is_one_of_its_commands_and_none_that_it_needs_is_missing(name: str) -> None:
    service = own_services()[name]
    words = service["command"]
    by_command = {known.name: known for known in SERVICES}
    kind: type[msgspec.Struct]
    if words[1:3] == ["simulate", "prepare"]:
        kind = PrepareSettings
    else:
        kind = settings_of(by_command[words[1]]) if words[1] in by_command else OTHER[words[1]]
    described = [*describe_settings(kind), *describe_settings(CommonSettings)]
    given = service["environment"]
    assert set(given) <= {setting.variable for setting in described}
    assert {setting.variable for setting in described if setting.default is None} <= set(given)


def test_every_value_is_in_the_example_and_the_other_way_round() -> None:
    asked = {match["name"] for match in VARIABLE.finditer(TEXT)}
    assert asked == set(re.findall(r"^([A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))


def test_no_secret_has_a_default() -> None:
    for match in VARIABLE.finditer(TEXT):
        if "PASSWORD" in match["name"]:
            assert not (match["rule"] == "-" and match["text"])
    assert not re.findall(r"^[A-Z_]*PASSWORD=.+$", EXAMPLE, re.MULTILINE)


@pytest.mark.parametrize("name", services())
def test_every_file_that_is_mounted_exists(name: str) -> None:
    for volume in services()[name].get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (ROOT / source).exists()


@pytest.mark.parametrize("name", services())
def test_everything_that_keeps_running_says_whether_it_is_healthy(name: str) -> None:
    service = services()[name]
    runs_once = str(service["restart"]).startswith("on-failure")
    assert runs_once or "healthcheck" in service or "profiles" in service


def test_our_own_services_are_not_root_and_cannot_write_to_their_image() -> None:
    assert re.search(r"^USER yiju$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    for service in own_services().values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service.get("user", "1883:1883") == "1883:1883"


def test_the_image_holds_every_package_and_what_the_code_reads_outside_of_them() -> None:
    copied = set(re.findall(r"^COPY (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE))
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert packages <= copied
    assert {"requirements.lock", "deploy/broker/acl"} <= copied


def test_the_shell_scripts_can_be_read_by_their_shells() -> None:
    for script, shell in (("deploy/broker/run.sh", "sh"), ("deploy/ci/timescaledb.sh", "bash"), (".ci/run", "bash")):
        subprocess.run([shell, "-n", Path(ROOT, script)], check=True)
