"""Does the pacing proxy answer?"""

import anyio
import httpx

from engines.pace.options import Options
from engines.process import NotReady

WITHIN = 2.0  # seconds


async def ready(options: Options) -> None:
    """Return when it serves its routes; what stands behind it has a probe of its own. Raises NotReady."""
    address = f"http://{options.host}:{options.port}"
    try:
        with anyio.fail_after(WITHIN):
            async with httpx.AsyncClient(timeout=None, trust_env=False, verify=False) as client:
                answer = await client.get(f"{address}/pace")
                routes = answer.json()["routes"]
    except (httpx.HTTPError, TimeoutError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotReady(f"pace at {address}: {type(error).__name__}") from error
    if set(routes) != set(options.routes):
        raise NotReady(f"pace at {address} serves {', '.join(routes)}: another proxy")
