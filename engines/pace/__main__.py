"""The pacing proxy as a process: `python -m engines.pace port=8025 upstream=http://HOST:PORT routes=...`."""

import asyncio
import sys

from engines.options import read
from engines.pace.options import Options
from engines.pace.proxy import application
from engines.port import PortTaken
from engines.uvicorn_server import Server, listening


def main() -> None:
    """Serve until SIGTERM; one clear line and exit 1 where the port is taken."""
    options = read(Options)
    try:
        asyncio.run(serve(options))
    except PortTaken as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from error


async def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. Raises PortTaken."""
    with listening(options.host, options.port) as listener:
        async with application(options) as endpoints:
            sys.stderr.write(f"{options.host}:{options.port} paces {', '.join(options.routes)}\n")
            await Server(endpoints).until_signal(listener)


if __name__ == "__main__":
    main()
