"""The broker of the embedded stack: mosquitto when the machine has it, else amqtt from a wheel.

Accounts are one file in mosquitto's own form, topics one ACL file (deploy/broker/acl), for both.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import quote

from core.credentials import PLATFORM_USER, broker_password_hash, new_password
from core.errors import StackError
from yiju.embedded.child import start_child, stop_child
from yiju.embedded.postgres import free_port

START_PATIENCE_S: Final = 15.0
ACL: Final = Path(__file__).parents[2] / "deploy" / "broker" / "acl"

# The same as in deploy/broker/mosquitto.conf, which says why.
QUEUES: Final = """max_queued_messages 0
persistent_client_expiration 14d
autosave_interval 30
max_inflight_messages 10000
max_inflight_bytes 16777216
message_size_limit 1048576
set_tcp_nodelay true
"""


class BrokerKind(StrEnum):
    """Which broker to run (`YIJU_BROKER`)."""

    AUTO = "auto"  # mosquitto when it is there
    MOSQUITTO = "mosquitto"
    AMQTT = "amqtt"


def find_mosquitto() -> str | None:
    """The path of mosquitto; Debian keeps it where a user's PATH does not look."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def chosen_broker(wanted: BrokerKind) -> BrokerKind:
    """MOSQUITTO or AMQTT. Raises StackError when mosquitto is wanted and not there."""
    if wanted is BrokerKind.AMQTT:
        return wanted
    if find_mosquitto():
        return BrokerKind.MOSQUITTO
    if wanted is BrokerKind.MOSQUITTO:
        raise StackError("mosquitto is not installed: apt-get install mosquitto, or set YIJU_BROKER=auto")
    return BrokerKind.AMQTT


class EmbeddedBroker:
    """One MQTT broker in `folder`, on 127.0.0.1.

    Args:
        folder: made with mode 0700; holds the configuration, `accounts`, the platform's password and the queue.
        port: where to listen; None takes a free one at the first start and keeps it.
        wanted: which broker.
        log: where it writes what it has to say; None: `folder/log`.
        keep_open: file descriptors that the broker inherits.
        acl: who may use which topics.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        wanted: BrokerKind = BrokerKind.AUTO,
        log: Path | None = None,
        keep_open: Sequence[int] = (),
        acl: Path = ACL,
    ) -> None:
        self.folder = folder
        self.port = port or 0
        self.wanted = wanted
        self._acl = acl
        self.log = log or folder / "log"
        self._keep_open = keep_open
        self.process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Makes the folder and the platform's own account."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        password = self.folder / "password"
        if not password.exists():
            new = password.with_name("password.new")  # moved when it is whole: an empty password would let anybody in
            new.touch(mode=0o600)
            new.write_text(new_password(), encoding="ascii")
            new.rename(password)
            self.write_accounts({})

    def write_accounts(self, gateways: Mapping[str, str]) -> None:
        """Replaces the accounts: gateway key -> password hash (core.credentials). The platform's own stays."""
        replace_accounts(self.folder / "accounts", gateways, self._password())
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGHUP)

    def start(self) -> None:
        """Starts the broker and waits until it listens. Raises StackError with the end of its log."""
        self.port = self.port or free_port()
        with self.log.open("ab") as log:
            self.process = start_child(self._command(), not_as_root=True, output=log, keep_open=self._keep_open)
        until = time.monotonic() + START_PATIENCE_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise StackError(f"the broker did not start on port {self.port}: {self.log_end()}")
            time.sleep(0.02)

    def answers(self) -> bool:
        """Whether it takes connections now."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self, patience_s: float = 10) -> None:
        if self.process is not None:
            stop_child(self.process, patience_s=patience_s)

    def url(self, user: str = PLATFORM_USER, password: str | None = None) -> str:
        """`mqtt://user:password@127.0.0.1:port`; without arguments the platform's own."""
        return f"mqtt://{quote(user)}:{quote(password or self._password())}@127.0.0.1:{self.port}"

    def log_end(self) -> str:
        """The last lines that the broker wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:]) if self.log.exists() else "no log"

    def _command(self) -> list[str | Path]:
        if chosen_broker(self.wanted) is BrokerKind.AMQTT:
            accounts = self.folder / "accounts"
            return [sys.executable, "-m", "yiju.embedded.amqtt_broker", str(self.port), accounts, self._acl]
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {self.folder}/accounts\n"
            f"acl_file {self._acl}\npersistence true\npersistence_location {self.folder}/\n{QUEUES}",
            encoding="utf-8",
        )
        return [find_mosquitto() or "mosquitto", "-c", configuration]

    def _password(self) -> str:
        return (self.folder / "password").read_text(encoding="ascii")


def replace_accounts(path: Path, gateways: Mapping[str, str], platform_password: str) -> None:
    """Writes an accounts file at once: the platform's account and each gateway's (key -> password hash)."""
    accounts = {PLATFORM_USER: broker_password_hash(platform_password), **gateways}
    new = path.with_name(path.name + ".new")
    new.touch(mode=0o600)
    new.write_text("".join(f"{user}:{stored}\n" for user, stored in accounts.items() if stored), encoding="ascii")
    new.rename(path)
