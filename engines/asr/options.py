"""What the recognition server can be told on its command line."""

from dataclasses import dataclass
from pathlib import Path

from engines.options import check_least, check_local


@dataclass(frozen=True)
class Options:
    """`python -m engines.asr key=value ...`; conf/asr/*.yaml says what each is for."""

    host: str = "127.0.0.1"
    port: int = 8024
    model: str = "whisper-tiny.en"  # a name that fetch knows, or a folder with a CTranslate2 Whisper
    threads: int = 2  # of one inference
    max_calls: int = 8  # streams at once; over it: RESOURCE_EXHAUSTED
    interim_ms: int = 500  # sound between two interim results
    guess_ms: int = 100  # of silence: the utterance may be over, so what there is is recognised already
    stop_ms: int = 380  # of silence end an utterance that sounds complete
    stop_open_ms: int = 900  # and one that does not
    longest_s: float = 28.0  # of an utterance, which then ends; Whisper hears 30 s at once

    def __post_init__(self) -> None:
        check_local(self, lowest=0)
        check_least(self, 1, "threads", "max_calls")
        check_least(self, 100, "interim_ms")
        if not 0 < self.guess_ms <= self.stop_ms <= self.stop_open_ms:
            raise ValueError(
                "options 'guess_ms', 'stop_ms', 'stop_open_ms': none may be less than the one before"
            )
        if not 2 <= self.longest_s <= 29:
            raise ValueError("option 'longest_s': must be 2 to 29")


def models(options: Options) -> list[str]:
    """What fetch must bring: nothing where the model is a folder of the user's own."""
    return [] if Path(options.model).is_dir() else [options.model]
