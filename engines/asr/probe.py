"""Is the recognition server answering on its own wire?"""

from riva.client.proto.riva_asr_pb2 import RivaSpeechRecognitionConfigRequest
from riva.client.proto.riva_asr_pb2_grpc import RivaSpeechRecognitionStub

from engines.asr.options import Options
from engines.riva_probe import WITHIN, listed


async def ready(options: Options) -> None:
    """Return when it lists its models now, or is too busy to. Raises NotReady."""
    await listed(
        "asr",
        f"{options.host}:{options.port}",
        "model",
        lambda channel: RivaSpeechRecognitionStub(channel).GetRivaSpeechRecognitionConfig(
            RivaSpeechRecognitionConfigRequest(), timeout=WITHIN
        ),
    )
