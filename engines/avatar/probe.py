"""Is the avatar answering on its own wire?"""

import asyncio
import json

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from engines.avatar.options import Options
from engines.process import NotReady

WITHIN = 1.5  # seconds
ASK = {"apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0", "requestID": "probe", "data": {}}


async def ready(options: Options) -> None:
    """Return when it says that its API is active now. Raises NotReady."""
    host = f"[{options.host}]" if ":" in options.host else options.host
    address = f"ws://{host}:{options.port}"
    try:
        async with (
            asyncio.timeout(WITHIN),
            connect(address, proxy=None, compression=None, close_timeout=0.1) as socket,
        ):
            await socket.send(json.dumps(ASK | {"messageType": "APIStateRequest"}))
            active = json.loads(await socket.recv())["data"]["active"]
    except (OSError, WebSocketException, TimeoutError, ValueError, KeyError, TypeError) as error:
        raise NotReady(f"avatar at {address}: {error or type(error).__name__}") from error
    if active is not True:
        raise NotReady(f"avatar at {address}: its API is not active")
