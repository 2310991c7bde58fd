"""What the speech server can be told on its command line."""

from dataclasses import dataclass
from enum import Enum

from engines.options import check_least, check_local


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
    first_chunk_ms: float = 0  # stands in for a slower machine: no first sound of a text before this
    real_time_factor: float = 0.0  # and the rest at most so fast: seconds a second of sound

    def __post_init__(self) -> None:
        check_local(self, lowest=0)
        check_least(self, 1, "threads", "workers", "max_calls", "max_characters")
        check_least(self, 0, "tail_ms", "first_chunk_ms", "real_time_factor")


def models(options: Options) -> list[str]:
    """What fetch must bring: nothing where the voice is a file of the user's own."""
    return [] if options.model else [{Voice.piper: "piper-joe", Voice.kokoro: "kokoro"}[options.voice]]
