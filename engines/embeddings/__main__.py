"""The embeddings engine as a process: `python -m engines.embeddings port=8028 model=minilm`."""

from __future__ import annotations

import asyncio
import socket
import sys

from engines.cache import ModelError
from engines.embeddings.options import Options
from engines.options import read
from engines.port import PortTaken
from engines.uvicorn_server import Server, listening


def main() -> None:
    """Serve until SIGTERM; one clear line and exit 1 where that cannot be."""
    options = read(Options)
    try:
        with listening(options.host, options.port) as listener:  # before the model is read, which takes long
            server = _ready(options)
            asyncio.run(serve(server, listener, options))
    except (ModelError, PortTaken) as error:
        sys.exit(str(error))


def _ready(options: Options) -> Server:
    """The server, its model read and warm. Raises ModelError."""
    try:
        from engines.embeddings.minilm import MiniLm
        from engines.embeddings.server import application
    except ImportError as error:
        sys.exit(f"{error.name} is not installed; cure: uv sync --all-extras --inexact")
    model = MiniLm(options.model, options.threads, options.most_tokens)
    model.embed(["warm"])
    return Server(application(options, model))


async def serve(server: Server, listener: socket.socket, options: Options) -> None:
    """Serve until SIGTERM or SIGINT."""
    sys.stderr.write(f"{options.host}:{options.port} serves {options.model}\n")
    await server.until_signal(listener)


if __name__ == "__main__":
    main()
