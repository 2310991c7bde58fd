"""Is the speech server answering on its own wire?"""

from riva.client.proto.riva_tts_pb2 import RivaSynthesisConfigRequest
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from engines.riva_probe import WITHIN, listed
from engines.speech.options import Options


async def ready(options: Options) -> None:
    """Return when it lists its voices now, or is too busy to. Raises NotReady."""
    await listed(
        "speech",
        f"{options.host}:{options.port}",
        "voice",
        lambda channel: RivaSpeechSynthesisStub(channel).GetRivaSynthesisConfig(
            RivaSynthesisConfigRequest(), timeout=WITHIN
        ),
    )
