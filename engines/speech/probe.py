"""Is the speech server answering on its own wire?"""

import grpc
from riva.client.proto.riva_tts_pb2 import RivaSynthesisConfigRequest
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from engines.process import NotReady
from engines.speech.options import Options

WITHIN = 1.5  # seconds; less than the caller allows, so that it is gRPC that gives up


async def ready(options: Options) -> None:
    """Return when it lists its voices now, or is too busy to. Raises NotReady."""
    address = f"{options.host}:{options.port}"
    async with grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        try:
            config = await RivaSpeechSynthesisStub(channel).GetRivaSynthesisConfig(
                RivaSynthesisConfigRequest(), timeout=WITHIN
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                return  # all its streams are in use: it lives
            raise NotReady(f"speech at {address}: {error.code().name}") from error
    if not config.model_config:
        raise NotReady(f"speech at {address} has no voice")
