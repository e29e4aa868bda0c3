"""One HTTP POST that ends in time, whatever the other side does: no redirects, no proxies, a few bytes of answer."""

import http.client
import ssl
from collections.abc import Mapping
from threading import Timer
from typing import Final
from urllib.parse import urlsplit

from alerts.notify.result import SendReason, Sent, judge_status

MOST_ANSWER: Final = 4096
PORTS: Final = {"http": 80, "https": 443}


def post(url: str, body: bytes, headers: Mapping[str, str], name: str, timeout_s: float) -> Sent:
    """Posts `body` and says how it went; blocks for at most about `timeout_s` real seconds.

    Args:
        url: http or https; user and password in it are not sent (give a header).
        name: what the service is called in the log of attempts.
    """
    parts = urlsplit(url)
    try:
        connection = connection_to(url, timeout_s)
    except ValueError:
        return Sent(SendReason.BAD_CHANNEL, name)
    # The socket's own limit is for each read: one that gives a byte now and then must not hold us for ever.
    late = _Deadline(connection, timeout_s)
    try:
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        connection.request("POST", target, body, {"User-Agent": "yiju", **headers})
        answer = connection.getresponse()
        answer.read(MOST_ANSWER)
        return judge_status(answer.status, name)
    except TimeoutError:
        return Sent(SendReason.TIMED_OUT, name)
    except (OSError, http.client.HTTPException):
        return Sent(SendReason.TIMED_OUT if late.passed else SendReason.UNREACHABLE, name)
    except ValueError:  # a sign in the URL or a header that HTTP cannot carry
        return Sent(SendReason.BAD_CHANNEL, name)
    finally:
        late.cancel()
        connection.close()


def connection_to(url: str, timeout_s: float) -> http.client.HTTPConnection:
    """To the host of an http or https URL, not opened yet; certificates are checked. Raises ValueError."""
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in PORTS:
        raise ValueError("not an http or https address")
    port = parts.port or PORTS[parts.scheme]
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname, port, timeout=timeout_s)
    return http.client.HTTPSConnection(parts.hostname, port, timeout=timeout_s, context=ssl.create_default_context())


class _Deadline:
    """Ends the connection when the time for all of it is over."""

    def __init__(self, connection: http.client.HTTPConnection, seconds: float) -> None:
        self.passed = False
        self._connection = connection
        self._timer = Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self.passed = True
        socket = self._connection.sock
        if socket is not None:
            try:
                socket.shutdown(2)
            except OSError:
                return  # it has ended by itself
