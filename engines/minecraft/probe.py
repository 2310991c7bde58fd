"""Does the Minecraft body answer, and was it in the world?"""

import httpx

from engines.minecraft.options import Options
from engines.process import NotReady

WITHIN = 1.5  # seconds


async def ready(options: Options) -> None:
    """Return when it answers and has been in the world; later it joins again by itself. Raises NotReady."""
    host = f"[{options.host}]" if ":" in options.host else options.host
    address = f"http://{host}:{options.port}/"
    try:
        async with httpx.AsyncClient(timeout=WITHIN, trust_env=False) as client:
            state = (await client.get(address)).json()
    except (httpx.HTTPError, ValueError) as error:
        raise NotReady(f"minecraft at {address}: {error or type(error).__name__}") from error
    if not isinstance(state, dict) or state.get("ready") is not True:
        raise NotReady("minecraft: the world is still loading")
