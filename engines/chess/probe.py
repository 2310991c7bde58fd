"""Is the board there?"""

import httpx

from engines.chess.options import Options
from engines.process import NotReady

WITHIN = 1.5  # seconds


async def ready(options: Options) -> None:
    """Return when its page is served. Raises NotReady."""
    host = f"[{options.host}]" if ":" in options.host else options.host
    address = f"http://{host}:{options.port}"
    try:
        async with httpx.AsyncClient(timeout=WITHIN, trust_env=False, verify=False) as client:
            answer = await client.get(f"{address}/health")
    except httpx.HTTPError as error:
        raise NotReady(f"chess at {address}: {error or type(error).__name__}") from error
    if answer.text != "chess\n":
        raise NotReady(f"chess at {address}: another server (HTTP {answer.status_code})")
