"""IRC as other servers than Twitch's speak it: lines over TCP, or TLS; the same Wire to who reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLCertVerificationError
from urllib.parse import urlsplit

import anyio
from anyio.abc import ByteStream

from glue.errors import TooSlow, Unreachable
from glue.senses.socket import Wire, certificates

# What a connection ends with; an OSError is TLS's own
GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)
SCHEMES = {"irc": 6667, "ircs": 6697}  # and their usual ports


@dataclass(slots=True)
class Lines:
    """An open connection of `part`. A line above `largest` bytes breaks it."""

    part: str
    stream: ByteStream
    largest: int
    _rest: bytes = field(default=b"")

    async def send(self, text: str) -> None:
        """Raises Unreachable."""
        try:
            await self.stream.send(f"{text}\r\n".encode())
        except GONE as error:
            raise Unreachable(self.part, "the connection broke") from error

    async def receive(self, within: float) -> str | bytes:
        """The next whole lines. Raises TooSlow after `within` seconds without one, Unreachable."""
        try:
            with anyio.fail_after(within):
                while b"\n" not in self._rest:
                    if len(self._rest) > self.largest:
                        raise Unreachable(self.part, "it sent a line without an end")
                    self._rest += await self.stream.receive()
        except TimeoutError as error:
            raise TooSlow(self.part, f"it sent nothing for {within:.0f} s") from error
        except GONE as error:
            raise Unreachable(self.part, "it hung up") from error
        whole, _, self._rest = self._rest.rpartition(b"\n")
        return whole


def is_plain(url: str) -> bool:
    """Whether it is the address of such a server: irc://HOST:PORT, ircs://HOST."""
    return urlsplit(url).scheme in SCHEMES


@asynccontextmanager
async def plain_wire(
    part: str, url: str, timeout: float, largest: int, ca_file: str = ""
) -> AsyncIterator[Wire]:
    """Connect; `ca_file` as in certificates(). Raises Unreachable."""
    try:
        address = urlsplit(url)
        host, port = address.hostname or "", address.port or SCHEMES[address.scheme]
        with anyio.fail_after(timeout):
            if address.scheme == "ircs":
                stream: ByteStream = await anyio.connect_tcp(
                    host,
                    port,
                    ssl_context=certificates(ca_file),
                    tls_standard_compatible=False,  # lines have ends of their own: nobody waits for a goodbye
                )
            else:
                stream = await anyio.connect_tcp(host, port)
    except SSLCertVerificationError as error:
        cure = "cure: chat.twitch.ca_file=FILE, its certificate or the authority's"
        raise Unreachable(part, f"{url.rpartition('@')[2]}: {error.verify_message}; {cure}") from error
    except (*GONE, ValueError) as error:
        where = url.rpartition("@")[2]
        raise Unreachable(part, f"{where} cannot be reached ({error or 'no answer'})") from error
    try:
        yield Lines(part, stream, largest)
    finally:
        with anyio.move_on_after(0.2, shield=True):
            await stream.aclose()
