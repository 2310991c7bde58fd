"""The memory engine as a process: `python -m engines.memory port=8027 folder=DIR`: Milvus Lite's server."""

import importlib.util
import os
import sys

from engines import port
from engines.memory.options import Options
from engines.options import read


def main() -> None:
    """Become Milvus Lite's server; one clear line and exit 1 where that cannot be."""
    options = read(Options)
    if not port.free(options.host, options.port):
        cure = f"port={port.instead(options.host, options.port)}"
        sys.exit(f"port {options.port} is taken{port.holder(options.port)}; cure: {cure}")
    if importlib.util.find_spec("milvus_lite") is None:
        sys.exit("milvus_lite is not installed; cure: uv sync --all-extras --inexact")
    folder = options.place
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        sys.exit(f"{folder}: {error.strerror}; cure: folder=ANOTHER")
    import fcntl

    with (folder / "LOCK").open("a+b") as lock:  # Milvus Lite's own: it would tell of it in a traceback
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit(f"{folder} is in use by another memory server; cure: end that, or folder=ANOTHER")
    words = ["--data-dir", str(folder), "--host", options.host, "--port", str(options.port)]
    os.execv(sys.executable, [sys.executable, "-m", "milvus_lite", "server", *words])


if __name__ == "__main__":
    main()
