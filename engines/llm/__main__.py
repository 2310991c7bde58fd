"""The language model as a process: `python -m engines.llm port=8021 model=qwen-1.5b`."""

import os
import signal
import socket
import sys
from pathlib import Path

from engines.cache import ModelError, locate
from engines.llm.options import Options, is_path
from engines.options import read

MAGIC = b"GGUF"


def main() -> None:
    """Serve until SIGTERM; one clear line and exit 1 where that cannot be."""
    options = read(Options)
    try:
        path = model_file(options.model)
        claim(options)
    except (ModelError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from error
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
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise ModelError(f"{path} is not a GGUF file; cure: another file, or a name such as qwen-1.5b")
    return path


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
    from xllamacpp import Server

    from engines.llm.params import params

    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)  # before llama.cpp's threads are born
    try:
        server = Server(params(options, path))
    except RuntimeError as error:
        sys.stderr.write(f"{path} cannot be loaded ({error}); cure: {cure(options.model)}\n")
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
