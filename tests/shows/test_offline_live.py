"""A second start without any network: an empty network namespace, where there is only this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.need import need, need_program
from tests.shows.live import launched
from tests.shows.test_live import heard_after

pytestmark = pytest.mark.slow
# The loopback interface is down in a new namespace: SIOCSIFFLAGS with IFF_UP.
UP = """
import fcntl, os, socket, struct, sys
with socket.socket() as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sh14x", b"lo", 1))
os.execv(sys.argv[1], sys.argv[1:])
"""


def apart() -> list[str]:
    """What stands before a command that shall reach nothing but this machine."""
    unshare = str(need_program("unshare", "sudo apt install util-linux"))
    words = [unshare, *([] if os.getuid() == 0 else ["-r"]), "-n", sys.executable, "-c", UP]
    done = subprocess.run([*words, sys.executable, "-c", ""], capture_output=True, check=False)
    need(done.returncode == 0, "a network namespace", "allow unprivileged ones, or run the tests as root")
    return words


def test_nothing_else_is_reached_from_there() -> None:
    code = "import socket; socket.create_connection(('192.0.2.1', 80), 5)"
    done = subprocess.run([*apart(), sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Network is unreachable" in done.stderr


def test_a_second_start_needs_no_network(tmp_path: Path) -> None:
    with launched(tmp_path, before=apart()) as live:
        live.until(live.url)
        live.type("mika: hello Spark, how are you?")
        live.until(lambda: heard_after(live, 0.0))
        assert not live.events("PartDegraded")
