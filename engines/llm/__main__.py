"""The language model as a process: `python -m engines.llm port=8021 model=qwen-1.5b`."""

import os
import signal
import socket
import sys
from pathlib import Path

from engines.cache import ModelError, locate
from engines.llm import native
from engines.llm.options import MODEL, REPACKED, SERVER, Options, bundled, is_path
from engines.options import read

MAGIC = b"GGUF"


def main() -> None:
    """Serve until SIGTERM; one clear line and exit 1 where that cannot be."""
    options = read(Options)
    try:
        path = bundled(options, MODEL) or model_file(options.model)
        for who, adapter in options.adapters.items():
            adapter_file(who, adapter)
        claim(options)
    except (ModelError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from error
    os.nice(options.nice)
    if server := bundled(options, SERVER):
        native.become(server, options, bundled(options, REPACKED) or path)
    serve(options, path)


def model_file(model: str) -> Path:
    """Where the model lies. Raises ModelError with the cure when it is not there or no GGUF."""
    if not is_path(model):
        return locate(model, "model.gguf")
    path = Path(model).expanduser()
    if not path.is_file():
        raise ModelError(
            f"there is no model at {path}; cure: llm.engine.model=PATH, or a name such as qwen-1.5b"
        )
    if not is_gguf(path):
        raise ModelError(f"{path} is not a GGUF file; cure: another file, or a name such as qwen-1.5b")
    return path


def adapter_file(who: str, adapter: str) -> Path:
    """Where a character's adapter lies. Raises ModelError with the cure."""
    path = Path(adapter).expanduser()
    if not path.is_file() or not is_gguf(path):
        what = "is not a GGUF file" if path.is_file() else "is not there"
        raise ModelError(
            f"the adapter of {who}, {path}, {what}; cure: llm.engine.adapters.{who}=PATH, or none"
        )
    return path


def is_gguf(path: Path) -> bool:
    """Whether the file begins as one."""
    with path.open("rb") as file:
        return file.read(4) == MAGIC


def claim(options: Options) -> None:
    """Fail early and clearly when the port is taken. Raises OSError."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((options.host, options.port))
        except OSError as error:
            raise OSError(f"port {options.port} is taken; cure: port={options.port + 10}") from error


def serve(options: Options, path: Path) -> None:
    """Load the model and serve it until a signal."""
    # Read by OpenMP when llama.cpp is loaded. Two threads on two cores wait for each other at every step; one
    # that spins takes the core that a browser's thread needs to let the other go on: with three busy threads
    # beside it 115 ms a token by OpenMP's default, 61 by 400; alone 35 and 36.
    os.environ.setdefault("GOMP_SPINCOUNT", str(options.spin))
    try:
        from xllamacpp import Server
    except ImportError as error:  # a bare Debian lacks libgomp
        sys.stderr.write(f"llama.cpp does not load ({error}); cure: sudo apt install libgomp1\n")
        raise SystemExit(1) from error

    from engines.llm.params import params

    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)  # before llama.cpp's threads are born
    try:
        server = Server(params(options, path))
    except RuntimeError as error:
        what = " or one of its adapters" if options.adapters else ""
        sys.stderr.write(f"{path}{what} cannot be loaded ({error}); cure: {cure(options.model)}\n")
        raise SystemExit(1) from error
    sys.stderr.write(f"{server.listening_address} serves {path.name}\n")
    signal.sigwait(stop)
    # llama.cpp's own shutdown waits for the clients; there is nothing to save.
    os._exit(0)


def cure(model: str) -> str:
    """What to do about a file that does not load."""
    return "another file" if is_path(model) else f"python -m engines.fetch --verify {model}"


if __name__ == "__main__":
    main()
