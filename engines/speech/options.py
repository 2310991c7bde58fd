"""What the speech server can be told on its command line."""

from dataclasses import dataclass
from enum import Enum


class Voice(Enum):
    """Which model speaks."""

    piper = "piper"
    kokoro = "kokoro"


@dataclass(frozen=True)
class Options:
    """`python -m engines.speech key=value ...`; conf/speech/*.yaml says what each is for."""

    host: str = "127.0.0.1"
    port: int = 8022
    voice: Voice = Voice.piper
    model: str = ""  # an ONNX file of your own; "" is the one that fetch knows
    threads: int = 1  # of one inference
    workers: int = 2  # inferences at once; what is over waits
    max_calls: int = 16  # over it: RESOURCE_EXHAUSTED
    max_characters: int = 10_000  # of a request's text; over it: INVALID_ARGUMENT
    tail_ms: int = 150  # silence that may follow the last sound of a sentence

    def __post_init__(self) -> None:
        if self.host not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError(
                f"option 'host': '{self.host}' is not this machine; it has no password, so: 127.0.0.1"
            )
        if not 0 <= self.port <= 65535:
            raise ValueError(f"option 'port': {self.port} is not a port")
        for name in ("threads", "workers", "max_calls", "max_characters"):
            if getattr(self, name) < 1:
                raise ValueError(f"option '{name}': must be 1 or more")
        if self.tail_ms < 0:
            raise ValueError("option 'tail_ms': must be 0 or more")


def models(options: Options) -> list[str]:
    """What fetch must bring: nothing where the voice is a file of the user's own."""
    return [] if options.model else [{Voice.piper: "piper-joe", Voice.kokoro: "kokoro"}[options.voice]]
