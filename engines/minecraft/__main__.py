"""The Minecraft body as a process: `python -m engines.minecraft port=8031 games=ws://127.0.0.1:8000`.

It stays as the guardian of Node's processes: the body, and a small world where no server was named. A world
that ends is started again; the body joins it, and says so. Where the body ends, or the world again and again,
both are ended, and whoever keeps this process starts them anew.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path
from types import FrameType

from engines import port
from engines.cache import ModelError
from engines.minecraft.node import find, modules
from engines.minecraft.options import OWN_VERSION, Options
from engines.options import read

HERE = Path(__file__).parent
WORLD_SECONDS = 60.0  # for the world to open its port
LOOK_SECONDS = 0.1
GENTLE_SECONDS = 0.7
ENDS, ENDS_SECONDS = 3, 120.0  # so many ends of the world in so short a time are too many


def main() -> None:
    """Play; one clear line and exit 1 where that cannot be."""
    options = read(Options)
    os.nice(options.nice)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    family: list[subprocess.Popen[bytes]] = []
    try:
        start = Starter(find(options.node), modules(), family)
        world = None if options.server else World(start, options)
        if world is not None:
            world.begin()
            options = world.joined
        body = {key: _plain(value) for key, value in dataclasses.asdict(options).items()}
        start("body", body)
        code = _first_end(family, world)
    except ModelError as error:
        sys.exit(f"minecraft: {error}")
    except _Leaving:
        code = 0
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end(family)
    sys.exit(code)


class Starter:
    """Starts programs of ours in Node."""

    def __init__(self, node: Path, modules: Path, family: list[subprocess.Popen[bytes]]) -> None:
        self._node, self._family = str(node), family
        own = {"NODE_PATH": str(modules), "NODE_OPTIONS": "--max-old-space-size=1024"}
        self._environment = os.environ | own

    def __call__(self, name: str, options: Mapping[str, object]) -> subprocess.Popen[bytes]:
        """`name`/main.js with its options."""
        child = subprocess.Popen(
            [self._node, str(HERE / name / "main.js"), json.dumps(options)],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
        )
        self._family.append(child)
        return child


class World:
    """A small world of our own."""

    def __init__(self, start: Starter, options: Options) -> None:
        self._start = start
        where = options.server_port
        if not port.free("127.0.0.1", where):
            where = port.instead("127.0.0.1", where)  # somebody's server: ours moves aside
        version = options.version or OWN_VERSION
        self._asked = {"port": where, "version": version}
        self._asked |= {name: getattr(options, name) for name in ("truth", "seed", "cook")}
        self.joined = dataclasses.replace(options, server="127.0.0.1", server_port=where, version=version)
        self.child: subprocess.Popen[bytes] | None = None
        self._ends: list[float] = []

    def begin(self) -> None:
        """Until it can be joined. Raises ModelError."""
        self.child = self._start("world", self._asked)
        late = time.monotonic() + WORLD_SECONDS
        where = self.joined.server_port
        while not port.listens(self.child.pid, where):
            if self.child.poll() is not None or time.monotonic() > late:
                raise ModelError("the world did not start; its words are above")
            time.sleep(LOOK_SECONDS)
        version = self.joined.version
        sys.stderr.write(f"a world of our own: join it at 127.0.0.1:{where}, Minecraft {version}\n")

    def again(self) -> bool:
        """It has ended: whether it is there again. Raises ModelError."""
        now = time.monotonic()
        self._ends = [*(at for at in self._ends if now < at + ENDS_SECONDS), now]
        if len(self._ends) >= ENDS:
            return False
        sys.stderr.write("the world has ended; it is started again\n")
        self.begin()
        return True


def _first_end(family: list[subprocess.Popen[bytes]], world: World | None) -> int:
    """Wait until one of them is over, a world for good; how it ended, as an exit status that is not 0."""
    while True:
        for child in list(family):
            with suppress(subprocess.TimeoutExpired):
                code = abs(child.wait(LOOK_SECONDS)) or 1
                family.remove(child)
                if world is None or child is not world.child or not world.again():
                    return code


def _end(family: Sequence[subprocess.Popen[bytes]]) -> None:
    for child in reversed(family):
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(GENTLE_SECONDS / len(family))
        child.kill()
        child.wait()


def _plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else value


class _Leaving(BaseException):
    """A signal asks this process to end."""


def _leave(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise _Leaving


if __name__ == "__main__":
    main()
