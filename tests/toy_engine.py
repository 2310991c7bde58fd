"""`python -m tests.toy_engine PORT WAY`: a small engine with bad days. It says "hello" to all."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio

from engines.options import die_with_parent
from engines.process import NotReady


def main() -> None:
    """Serve in one of the ways: good, exits, silent, stubborn, parent, hangs:FILE, once:FILE."""
    die_with_parent()
    port, way = int(sys.argv[1]), sys.argv[2]
    kind, _, name = way.partition(":")
    file = Path(name)
    if kind == "exits":
        sys.stderr.write("toy: the model is damaged; cure: fetch it\n")
        sys.stderr.writelines(f"a library's line {number}\n" for number in range(40))
        sys.exit(1)
    if kind == "once" and file.exists():
        sys.exit("toy: once was enough")
    if kind in ("stubborn", "parent"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if kind == "parent":
        subprocess.Popen([sys.executable, "-c", f"import time; time.sleep(1{port})"])
    if kind == "silent":
        time.sleep(1000)
    if kind == "once":
        file.touch()
    serve(port, lambda: kind == "hangs" and file.exists())


def serve(port: int, hangs: Callable[[], bool]) -> None:
    with socket.create_server(("127.0.0.1", port)) as server:
        sys.stderr.write("toy: listening\n")
        while True:
            client, _ = server.accept()
            if not hangs():
                client.sendall(b"hello")
                client.close()


def probe(port: int) -> Callable[[], Awaitable[None]]:
    """The toy's probe for a Spec."""

    async def ready() -> None:
        try:
            async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                said = await stream.receive()
        except (OSError, anyio.EndOfStream) as error:
            raise NotReady("nobody listens") from error
        if said != b"hello":
            raise NotReady(f"said {said!r}")

    return ready


if __name__ == "__main__":
    main()
