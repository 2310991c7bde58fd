"""The embeddings engine as a process: `python -m engines.embeddings port=8028 model=minilm`."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from engines import port
from engines.embeddings.options import Options
from engines.options import read


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: serve() has them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are serve()'s."""
        yield

    def end(self) -> None:
        """Stop; answers that are being given are cut."""
        self.should_exit = True
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def main() -> None:
    """Serve until SIGTERM; one clear line and exit 1 where that cannot be."""
    options = read(Options)
    if not port.free(options.host, options.port):
        cure = f"port={port.instead(options.host, options.port)}"
        sys.exit(f"port {options.port} is taken{port.holder(options.port)}; cure: {cure}")
    from engines.cache import ModelError

    try:
        from engines.embeddings.minilm import MiniLm

        model = MiniLm(options.model, options.threads, options.most_tokens)
    except ImportError as error:
        sys.exit(f"{error.name} is not installed; cure: uv sync --extra memory")
    except ModelError as error:
        sys.exit(str(error))
    model.embed(["warm"])
    from engines.embeddings.server import application

    config = uvicorn.Config(
        application(options, model),
        host=options.host,
        port=options.port,
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        http="h11",
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    asyncio.run(serve(Server(config), options))


async def serve(server: Server, options: Options) -> None:
    """Serve until SIGTERM or SIGINT."""
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, server.end)
    sys.stderr.write(f"{options.host}:{options.port} serves {options.model}\n")
    await server.serve()


if __name__ == "__main__":
    main()
