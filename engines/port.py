"""Whether a port can be listened on, who has it, and which one is free instead."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from itertools import count, islice

import psutil

FIRST, MANY = 20_000, 12_000  # ports below those that a system itself gives out, again and again, by chance
_numbers = count(7417 * os.getpid())  # processes side by side begin apart: by the golden section of MANY


class PortTaken(Exception):
    """Somebody listens there already; one line with the cure."""


def free(host: str, port: int) -> bool:
    """Whether this process could listen there now."""
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(kind, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def claim(port: int, until: contextlib.ExitStack) -> bool:
    """Claim a port before anybody listens there, so that of two copies started at once one is the first;
    False where another copy has. A name that Linux keeps beside its ports, and no file, which would stay."""
    if sys.platform != "linux":
        return True
    named = socket.socket(socket.AF_UNIX)
    try:
        named.bind(f"\0spark-vtuber-port-{port}")
    except OSError:
        named.close()
        return False
    until.enter_context(named)
    return True


def unused() -> int:
    """A port that nobody listens on now. It may be a while until somebody does: the next ones are others.
    Raises PortTaken where there is none."""
    for number in islice(_numbers, MANY):
        if free("127.0.0.1", port := FIRST + number % MANY):
            return port
    raise PortTaken(f"no port from {FIRST} to {FIRST + MANY - 1} is free; cure: end what listens there")


def instead(host: str, port: int) -> int:
    """The next free port in steps of ten, which keep the engines' ports in one pattern."""
    return next(
        (other for other in range(port + 10, min(port + 1000, 65536), 10) if free(host, other)), port + 10
    )


def holder(port: int) -> str:
    """Who listens on a port, as " by NAME (pid N)"; "" when it is not ours to see."""
    with contextlib.suppress(psutil.Error, OSError):
        for each in psutil.net_connections(kind="tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr[1:2] == (port,) and each.pid:
                return f" by {psutil.Process(each.pid).name()} (pid {each.pid})"
    return ""


def listens(pid: int, port: int) -> bool:
    """Whether this process, or a child of it, listens there; True where the system does not tell."""
    try:
        leader = psutil.Process(pid)
        family = [leader, *leader.children(recursive=True)]
        sockets = [each for member in family for each in member.net_connections(kind="tcp")]
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True
    return any(each.status == psutil.CONN_LISTEN and each.laddr[1:2] == (port,) for each in sockets)
