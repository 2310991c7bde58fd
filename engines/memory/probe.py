"""Is Milvus answering on its own wire?"""

import asyncio

from engines.memory.options import Options
from engines.process import NotReady

WITHIN = 1.5  # seconds


async def ready(options: Options) -> None:
    """Return when a connection is accepted: its first real answer takes a client that is heavy to load, and
    the adapter asks for that itself. Raises NotReady."""
    try:
        async with asyncio.timeout(WITHIN):
            _, writer = await asyncio.open_connection(options.host, options.port)
    except (OSError, TimeoutError) as error:
        raise NotReady(f"memory at {options.host}:{options.port}: {type(error).__name__}") from error
    writer.close()
