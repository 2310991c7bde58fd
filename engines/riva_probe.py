"""Is a server on Riva's wire answering? What the probes of the ears and of the voice share."""

from collections.abc import Callable
from typing import Any

import grpc

from engines.own_channel import OWN
from engines.own_task import own_task
from engines.process import NotReady

WITHIN = 1.5  # seconds; less than the caller allows, so that it is gRPC that gives up


@own_task
async def listed(name: str, address: str, what: str, ask: Callable[[grpc.aio.Channel], Any]) -> None:
    """Return when the server lists its models now (`what` it has), or is too busy to. Raises NotReady."""
    async with grpc.aio.insecure_channel(address, options=OWN) as channel:
        try:
            config = await ask(channel)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                return  # all its calls are in use: it lives
            raise NotReady(f"{name} at {address}: {error.code().name}") from error
    if not config.model_config:
        raise NotReady(f"{name} at {address} has no {what}")
