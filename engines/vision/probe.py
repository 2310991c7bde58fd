"""Is the vision server answering on its own wire?"""

import grpc
from tritonclient.grpc.service_pb2 import ModelReadyRequest
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub

from engines.own_channel import OWN
from engines.own_task import own_task
from engines.process import NotReady
from engines.vision.options import Options

WITHIN = 1.5  # seconds; less than the caller allows, so that it is gRPC that gives up


@own_task
async def ready(options: Options) -> None:
    """Return when all its models are ready. Raises NotReady."""
    address = f"{options.host}:{options.port}"
    configured = [name for name in ("detect", "caption") if getattr(options, name)]
    async with grpc.aio.insecure_channel(address, options=OWN) as channel:
        stub = GRPCInferenceServiceStub(channel)
        for name in (*options.models, *configured, "about"):
            try:
                answer = await stub.ModelReady(ModelReadyRequest(name=name), timeout=WITHIN)
            except grpc.aio.AioRpcError as error:
                raise NotReady(f"vision at {address}: {error.code().name}") from error
            if not answer.ready:
                raise NotReady(f"vision at {address}: '{name}' is not ready yet")
