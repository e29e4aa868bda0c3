"""The uplink over TLS: the platform's certificate is checked before anything is said."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.address import BrokerAddress, parse_broker_url
from core.clock import ManualClock
from core.errors import SettingsError
from gateway.client import client_for
from gateway.gateway import Gateway
from gateway.settings import Settings
from tests.integration.gateway.platform import Platform, until
from tests.needs import need
from yiju.embedded.child import start_child, stop_child
from yiju.embedded.postgres import free_port


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Port and certificate of a broker that speaks TLS only."""
    mosquitto = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    openssl = shutil.which("openssl")
    need(
        mosquitto is not None and openssl is not None,
        "mosquitto and openssl are needed: apt-get install mosquitto openssl",
    )
    assert mosquitto is not None
    assert openssl is not None
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    port = free_port()
    configuration = tmp_path / "tls.conf"
    configuration.write_text(
        f"listener {port} localhost\nallow_anonymous true\ncertfile {certificate}\nkeyfile {key}\n", encoding="utf-8"
    )
    process = start_child([mosquitto, "-c", configuration], not_as_root=True, output=subprocess.DEVNULL)
    yield port, certificate
    stop_child(process)


def gateway_at(port: int, ca: Path | None, folder: Path, clock: ManualClock) -> Gateway:
    settings = Settings(
        gateway_key="gw-1",
        gateway_password="secret",
        platform_url=f"mqtts://localhost:{port}",
        platform_ca=str(ca or ""),
        gateway_folder=str(folder),
    )
    return Gateway(settings, clock)


@pytest.mark.filterwarnings(
    # paho leaves the socket of a refused handshake to the garbage collector
    "ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"
)
def test_readings_travel_over_tls_to_a_platform_that_proves_itself_and_to_no_other(
    tls: tuple[int, Path], tmp_path: Path, clock: ManualClock
) -> None:
    port, certificate = tls
    doubting = gateway_at(port, None, tmp_path / "doubting", clock)  # the system knows no such authority
    doubting.start()
    trusting = gateway_at(port, certificate, tmp_path / "trusting", clock)
    trusting.start()
    platform = Platform(f"mqtts://localhost:{port}", str(certificate))
    for gateway in (doubting, trusting):
        gateway.receive("zigbee2mqtt/Button", b'{"action":"emergency"}')
    until(lambda: trusting.unacknowledged() == 0, "acknowledged over TLS")
    assert not doubting.connected
    assert doubting.unacknowledged() == 1
    for gateway in (doubting, trusting):
        gateway.stop()
    platform.close()


def test_a_broker_url_is_read_and_a_wrong_one_named_without_its_password() -> None:
    assert parse_broker_url("mqtts://a%40b:p%2F@host", "X") == BrokerAddress("host", 8883, True, "a@b", "p/")
    assert parse_broker_url("mqtt://[::1]:1884", "X") == BrokerAddress("::1", 1884, False)
    for wrong in ("host:1883", "http://u:hidden@host", "mqtt://u:hidden@", "mqtt://u:hidden@h:99999", "mqtt://h:0", ""):
        with pytest.raises(SettingsError, match=r"^YIJU_X cannot be read: write mqtt://host:port") as caught:
            parse_broker_url(wrong, "YIJU_X")
        assert "hidden" not in str(caught.value)


def test_a_certificate_authority_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no readable certificate"):
        client_for(BrokerAddress("h", 1, tls=True), "x", str(tmp_path / "none.pem"))
