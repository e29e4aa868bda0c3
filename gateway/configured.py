"""The configuration that this gateway has: sent by the platform, kept in its folder, good without a line."""

from pathlib import Path
from typing import Final

import structlog

from core.configuration import Configuration, digest_of, read_configuration
from core.errors import Reason, SettingsError, WireError
from core.wire import ConfigurationState, Configured, Desired, decode_desired, encode
from gateway.folder import write_whole

MAX_BYTES: Final = 262_144


class ConfigurationFile:
    """Keeps the last configuration that could be used.

    Attributes:
        configuration: what holds; the defaults until the platform has sent one.
        configured: what became of the last one that came; None when none ever did.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._log = structlog.get_logger()
        self.configuration = Configuration()
        self.configured: Configured | None = None
        try:
            desired = decode_desired(file.read_bytes())
            self.configuration = read_configuration(bytes(desired.configuration))
            self.configured = Configured(desired.version, desired.digest, ConfigurationState.APPLIED)
        except FileNotFoundError:
            pass
        except (
            WireError,
            SettingsError,
            OSError,
        ) as error:  # the platform sends it again when we say that we have none
            self._log.warning("configuration_unreadable", error=str(error))

    def take(self, payload: bytes) -> bool:
        """Takes what the platform wants this gateway to be. What cannot be done is refused whole; the old one holds.

        Returns:
            Whether another configuration holds now.
        """
        try:
            desired = _read(payload)
        except WireError as error:
            self.configured = Configured(0, "", ConfigurationState.REFUSED, str(error)[:500])
            self._log.warning("configuration_refused", reason=str(error))
            return False
        known = self.configured
        if known and known.state is ConfigurationState.APPLIED and known.digest == desired.digest:
            self.configured = Configured(desired.version, desired.digest, ConfigurationState.APPLIED)
            return False
        try:
            configuration = read_configuration(bytes(desired.configuration))
            write_whole(self._file, encode(desired))
        except (SettingsError, OSError) as error:
            reason = str(error)[:500]
            self.configured = Configured(desired.version, desired.digest, ConfigurationState.REFUSED, reason)
            self._log.warning("configuration_refused", version=desired.version, reason=reason)
            return False
        self.configuration = configuration
        self.configured = Configured(desired.version, desired.digest, ConfigurationState.APPLIED)
        self._log.info("configuration_applied", version=desired.version, devices=len(configuration.devices))
        return True


def _read(payload: bytes) -> Desired:
    """The message with its digest proven. Raises WireError."""
    if len(payload) > MAX_BYTES:
        raise WireError(Reason.TOO_LARGE, f"{len(payload)} bytes; a configuration has at most {MAX_BYTES}")
    desired = decode_desired(payload)
    if digest_of(bytes(desired.configuration)) != desired.digest:
        raise WireError(Reason.UNDECODABLE, "its digest is another one: it was cut or changed on its way")
    return desired
