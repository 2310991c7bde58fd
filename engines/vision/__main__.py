"""The vision engine as a process: `python -m engines.vision port=8026 models=[guard,text]`.

It stays as the guardian of the server, which runs in an environment and a process group of its own:
PyTriton that fails at its start leaves a tritonserver behind that holds the port and ignores SIGTERM.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import psutil

from engines import port
from engines.cache import ModelError
from engines.options import read
from engines.vision.asked import asked, files
from engines.vision.environment import environment
from engines.vision.options import Options

ROOT = Path(__file__).parent.parent.parent
FILES = "/tmp"  # a short path, for sockets whose names may have 107 bytes; tritonserver uses it anyway
LOOK_SECONDS = 0.2
START_SECONDS = 60.0  # for loading the models, before there is a tritonserver


def main() -> None:
    """Serve; one clear line and exit 1 where that cannot be."""
    options = read(Options)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        there = {name: str(path.resolve()) for name, path in files(options).items()}
        made = environment(options.device)
        if not made.made:
            raise ModelError(
                f"{made.folder} is not made; cure: ./build_engines.sh vision device={options.device.name}"
            )
        if not port.free(options.host, options.port):
            raise ModelError(f"port {options.port} is taken{port.holder(options.port)}; cure: another port")
    except ModelError as error:
        sys.exit(f"vision: {error}")
    with tempfile.TemporaryDirectory(prefix="spark-vision-", dir=FILES, ignore_cleanup_errors=True) as folder:
        code = _guarded(made.python, options, there, Path(folder))
    sys.exit(f"vision: the server ended ({code}); its words are above" if code else 0)


def _guarded(python: Path, options: Options, there: dict[str, str], folder: Path) -> int:
    """Run the server to its end, whatever ends it or us; how it ended. Nothing of it is left."""
    libraries = str(sysconfig.get_config_var("LIBDIR") or "")  # or Triton's back end loads another libpython
    path = ":".join(filter(None, [libraries, os.environ.get("LD_LIBRARY_PATH", "")]))
    own = {"TMPDIR": str(folder), "LD_LIBRARY_PATH": path, "SPARK_PARENT": str(os.getpid())}
    child = subprocess.Popen(
        [str(python), "-m", "engines.vision.server", asked(options, there, str(folder / "workspace"))],
        cwd=ROOT,
        env=os.environ | own | {"PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": str(options.threads)},
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        start_new_session=True,
    )
    try:
        return _watched(child)
    except _Leaving:
        return 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for copied in list(_copies(folder)):
            shutil.rmtree(copied, ignore_errors=True)


def _watched(child: subprocess.Popen[bytes]) -> int:
    """Wait until the server is over; how it ended. PyTriton does not notice for minutes when its tritonserver
    has died, so that is looked for here."""
    tritonserver: psutil.Process | None = None
    late = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(LOOK_SECONDS)
        with contextlib.suppress(psutil.Error):
            below = psutil.Process(child.pid).children() if tritonserver is None else []
            tritonserver = next((each for each in below if each.name() == "tritonserver"), tritonserver)
        if time.monotonic() > late if tritonserver is None else not _lives(tritonserver):
            return -signal.SIGKILL


def _lives(process: psutil.Process) -> bool:
    """A killed tritonserver stays a zombie until PyTriton looks at it, which can take long."""
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _copies(folder: Path) -> Iterator[Path]:
    """What tritonserver has put beside `folder`, one a model, and leaves there when it is killed."""
    for config in Path(FILES).glob("folder??????/config.pbtxt"):
        with contextlib.suppress(OSError):
            if str(folder) in config.read_text(errors="replace"):
                yield config.parent


class _Leaving(BaseException):
    """A signal asks this process to end."""


def _leave(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise _Leaving


if __name__ == "__main__":
    try:
        main()
    except _Leaving:
        sys.exit(0)
