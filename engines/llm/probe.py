"""Is the language model answering on its own wire?"""

import anyio
import httpx

from engines.llm.options import Options
from engines.llm_key import authorised
from engines.process import NotReady

WITHIN = 2.0  # seconds


async def ready(options: Options) -> None:
    """Return when it is loaded and lists its model now. Raises NotReady."""
    # verify=False: building a TLS context that plain HTTP never uses stalls the show's loop for 10 ms
    address = f"http://{options.host}:{options.port}"
    try:
        with anyio.fail_after(WITHIN):
            async with httpx.AsyncClient(
                base_url=address, headers=authorised(), timeout=None, trust_env=False, verify=False
            ) as client:
                health = await client.get("/health")
                listed = (await client.get("/v1/models")).json().get("data")
    except (httpx.HTTPError, TimeoutError, ValueError, AttributeError, RecursionError) as error:
        raise NotReady(f"llm at {address}: {type(error).__name__}") from error
    if health.status_code != httpx.codes.OK or not isinstance(listed, list) or not listed:
        raise NotReady(f"llm at {address} is loading its model")
