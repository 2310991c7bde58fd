"""Does the embeddings server answer on its own wire?"""

import httpx

from engines.embeddings.options import Options
from engines.process import NotReady

WITHIN = 2.0  # seconds


async def ready(options: Options) -> None:
    """Return when it lists its model. Raises NotReady."""
    address = f"http://{options.host}:{options.port}"
    try:
        async with httpx.AsyncClient(timeout=WITHIN, trust_env=False, verify=False) as client:
            answer = await client.get(f"{address}/v1/models")
            listed = [each["id"] for each in answer.json()["data"]]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise NotReady(f"embeddings at {address}: {type(error).__name__}") from error
    if options.model not in listed:
        raise NotReady(f"embeddings at {address} serves {', '.join(listed)}: another server")
