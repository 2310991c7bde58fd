"""What `python -m engines.bench PART key=value ...` can be told; `help` prints this file's words."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Enum

PARTS = ("llm", "tts", "asr", "vision")


class Dialect(Enum):
    """Which server of the OpenAI wire it is. `auto` asks it."""

    auto = "auto"
    llamacpp = "llamacpp"
    trtllm = "trtllm"
    vllm = "vllm"
    none = "none"


HELP = {
    "url": "a server that runs: url=ADDRESS, or url.PART=ADDRESS (all)",
    "clients": "how many ask at the same time, one table row each",
    "rounds": "measurements of a case, shared by the clients; 100 make a p99 worth the name",
    "out": "folder for result.json and the plots; empty: runs/bench_TIME",
    "timeout_s": "seconds for a whole answer; over it the part is given up",
    "dialect": "llm: auto, llamacpp, trtllm, vllm, none (OpenAI's own words)",
    "model": "llm: the model's name; empty: the first that the server lists",
    "key_from": "llm: the environment variable that holds the server's key",
    "adapters": "llm: two personas' LoRA: a path on the server, vLLM: a model name",
    "prompts": "llm: words of a prompt, the shortest first",
    "tokens": "llm: tokens of an answer that is timed as a whole",
    "voice": "tts: empty: the first that the server lists",
    "language": "tts, asr: of voice and words",
    "rate": "tts: Hz",
    "sound": "asr: a WAV with one sentence; empty: the tts server speaks some",
    "models": "vision: empty: all that take a picture",
    "size": "vision: height and width of the pictures",
    "bandwidth_gbs": "roofline: GB/s of the memory that holds the weights; 0: measured here",
    "tflops": "roofline: TFLOP/s in the weights' format, for a bound of the prefill; 0: no such bound",
    "weights": "roofline: GGUF file or checkpoint folder; empty: what the server tells",
}


@dataclass(frozen=True)
class Options:
    """HELP says what each is for."""

    url: dict[str, str] = field(default_factory=dict)
    clients: list[int] = field(default_factory=lambda: [1, 2, 4])
    rounds: int = 12
    out: str = ""
    timeout_s: float = 60.0
    dialect: Dialect = Dialect.auto
    model: str = ""
    key_from: str = ""
    adapters: dict[str, str] = field(default_factory=dict)
    prompts: list[int] = field(default_factory=lambda: [50, 200])
    tokens: int = 32
    voice: str = ""
    language: str = "en-US"
    rate: int = 24000
    sound: str = ""
    models: list[str] = field(default_factory=list)
    size: list[int] = field(default_factory=lambda: [640, 640])
    bandwidth_gbs: float = 0.0
    tflops: float = 0.0
    weights: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be."""
        unknown = [part for part in self.url if part not in PARTS]
        if unknown:
            raise ValueError(f"option 'url': no part '{unknown[0]}'; the parts are: {', '.join(PARTS)}")
        if not self.clients or min(self.clients) < 1 or max(self.clients) > 64:
            raise ValueError("option 'clients': some numbers of 1 to 64, such as [1,2,4]")
        if self.rounds < 1 or self.tokens < 2 or self.timeout_s <= 0:
            raise ValueError("options 'rounds' and 'timeout_s' are above 0, 'tokens' is 2 or more")
        if not self.prompts or not all(1 <= words <= 100_000 for words in self.prompts):
            raise ValueError("option 'prompts': some numbers of words, such as [50,200]")
        if len(self.size) != 2 or min(self.size) < 1:
            raise ValueError("option 'size': height and width, such as [640,640]")
        if len(self.adapters) == 1:
            raise ValueError("option 'adapters': two personas, or none: a switch is measured")
        if not 8000 <= self.rate <= 48000 or min(self.bandwidth_gbs, self.tflops) < 0:
            raise ValueError("option 'rate' is 8000 to 48000; 'bandwidth_gbs' and 'tflops' are not negative")


def lines() -> list[str]:
    """Every option with its default and what it is for."""
    made = Options()
    shown = [(each.name, getattr(made, each.name), HELP[each.name]) for each in fields(Options)]
    return [f"  {f'{name}={_plain(value)}':24} {words}" for name, value, words in shown]


def _plain(value: object) -> str:
    text = str(getattr(value, "value", value))
    return "" if text in ("{}", "[]") else text.replace(" ", "")
