"""The wire to OBS: obsws-python behind a lock, a time-out and our errors. Every call blocks: use a thread.

That client matches no answer to its question, so after any trouble the connection is given up.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from socket import SHUT_RDWR
from threading import Lock
from typing import Any

from glue.errors import ConfigError, Refused, TooSlow, Unreachable

PART = "broadcast"
PACKAGE = "the broadcast extra is missing; cure: uv sync --all-extras --inexact, or broadcast=none"
MENU = "Tools > WebSocket Server Settings"

# RequestStatus of obs-websocket's protocol
BUSY, NO_SUCH_SOURCE = 207, 600

# What that client lets through of its socket, of answers that are no JSON, or not of the expected shape.
BROKEN = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
Answer = dict[str, Any]


class Denied(Refused):
    """OBS's answer to one request; the connection is as good as before."""

    def __init__(self, request: str, code: int, comment: str) -> None:
        super().__init__(PART, f"OBS denies {request}: {comment or 'it does not say why'} ({code})")
        self.code = code


def silenced() -> Any:
    """obsws-python, whose log has the password, and tracebacks. Raises ConfigError."""
    try:
        import obsws_python
    except ImportError as error:
        raise ConfigError(PACKAGE) from error
    logging.getLogger("obsws_python").setLevel(logging.CRITICAL + 1)
    return obsws_python


class Link:
    """One connection at a time; open() makes a new one. Nothing waits for longer than `timeout_s`."""

    def __init__(self, host: str, port: int, password: str, timeout_s: float) -> None:
        self.address = f"{host}:{port}"
        self._words = {"host": host, "port": port, "password": password, "timeout": timeout_s}
        self._timeout = timeout_s
        self._lock = Lock()
        self._client: Any = None
        self._over = False

    def open(self) -> None:
        """Connect and identify. Raises Unreachable, TooSlow, Refused, each with its cure."""
        obs = silenced()
        from websocket import WebSocketException, WebSocketTimeoutException

        client = obs.baseclient.ObsClient.__new__(obs.baseclient.ObsClient)
        with self._lock:
            _shut(self._client)
            self._client = None
            if self._over:  # the show ended while this waited in its thread: nobody would close what it opens
                raise Unreachable(PART, "the show is over")
            try:
                client.__init__(**self._words)  # apart, so that its socket can be closed where this fails
                client.authenticate()
                self._client = client
            except obs.error.OBSSDKError as error:
                why = "no password was given" if not self._words["password"] else "it refuses the password"
                cure = f"OBS_PASSWORD=... as OBS shows it under {MENU}"
                raise Refused(PART, f"OBS at {self.address}: {why}; cure: {cure}") from error
            except (TimeoutError, WebSocketTimeoutException) as error:
                cure = "cure: OBS 28 or newer, whose obs-websocket is 5"
                raise TooSlow(PART, f"{self.address} says nothing for {self._timeout:g} s; {cure}") from error
            except (*BROKEN, WebSocketException) as error:
                cure = f"start OBS (28 or newer) with {MENU} on, or broadcast=none"
                raise Unreachable(PART, f"no OBS at {self.address} ({_line(error)}); cure: {cure}") from error
            finally:
                if self._client is None:
                    _shut(client)

    def ask(self, request: str, **data: object) -> Answer:
        """OBS's answer. Raises Denied; Unreachable and TooSlow, after which open() is due."""
        obs = silenced()
        from websocket import WebSocketException

        with self._lock:
            if self._client is None:
                raise Unreachable(PART, f"OBS at {self.address} is not connected")
            try:
                answer = self._client.req(request, data)
                status, found = answer["requestStatus"], answer.get("responseData")
                denial = None if status["result"] else (int(status["code"]), str(status.get("comment", "")))
            except obs.error.OBSSDKTimeoutError as error:
                self._drop()
                raise TooSlow(PART, f"OBS: no answer to {request} for {self._timeout:g} s") from error
            except (*BROKEN, WebSocketException) as error:
                self._drop()
                raise Unreachable(PART, f"OBS at {self.address} hung up ({_line(error)})") from error
        if denial is not None:
            raise Denied(request, *denial)
        return found if isinstance(found, dict) else {}

    def close(self) -> None:
        """Hang up for good, once the request that is under way has ended."""
        with self._lock:
            self._over = True
            self._drop()

    def abort(self) -> None:
        """Hang up under a request that takes too long: it then fails."""
        client = self._client
        if client is not None:
            with suppress(OSError, AttributeError):  # it may be closed by now
                client.ws.sock.shutdown(SHUT_RDWR)

    def _drop(self) -> None:
        client, self._client = self._client, None
        _shut(client)


def _shut(client: Any) -> None:
    """Close without the closing handshake: whoever does not answer would be waited for."""
    if hasattr(client, "ws"):
        with suppress(OSError):
            client.ws.shutdown()


def _line(error: Exception) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
