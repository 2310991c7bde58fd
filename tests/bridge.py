"""`python -m tests.bridge FROM TO`: connections to FROM go on to TO, each a loopback port or a Unix socket.

A Unix socket is reached from another network namespace, a port is not: two bridges make a way in."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import sys
from contextlib import suppress

SIOCSIFFLAGS, UP = 0x8914, 0x1  # <linux/sockios.h>, <linux/if.h>


async def main(source: str, target: str) -> None:
    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there = await opened(target)
            await asyncio.gather(pump(reader, there[1]), pump(there[0], writer), return_exceptions=True)
        writer.close()

    server = await (
        asyncio.start_server(forward, "127.0.0.1", int(source))
        if source.isdecimal()
        else asyncio.start_unix_server(forward, source)
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


async def opened(target: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if target.isdecimal():
        return await asyncio.open_connection("127.0.0.1", int(target))
    return await asyncio.open_unix_connection(target)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


def loopback_up() -> None:
    """A new network namespace has its loopback down. PermissionError elsewhere, where it is up."""
    with suppress(PermissionError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", UP))


if __name__ == "__main__":
    if not sys.argv[1].isdecimal():
        loopback_up()
    asyncio.run(main(*sys.argv[1:]))
