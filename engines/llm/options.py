"""What the language model's server can be told on its command line."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """`python -m engines.llm key=value ...`; conf/llm/*.yaml says what each is for."""

    host: str = "127.0.0.1"
    port: int = 8021
    model: str = "qwen-1.5b"  # a name that fetch knows, or a path to a GGUF file
    threads: int = 2  # of decoding
    threads_batch: int = 2  # of prefilling
    slots: int = 3  # one for each character, the last for the background
    context: int = 3072  # tokens that a slot holds
    batch: int = 64  # tokens prefilled at once: a cancel is noticed between two batches
    flash: bool = False  # flash attention: on a CPU it makes a short prefill behind a long prefix slower
    mmap: bool = False  # the file stays mapped beside the repacked weights: 600 MB more, 0.3 s less to load
    prefix_folder: str = ""  # where prefilled prefixes are kept; "" is in the user's cache, "none" nowhere
    poll: int = 50  # how eagerly idle threads spin, 0 to 100

    def __post_init__(self) -> None:
        if self.host not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError(
                f"option 'host': '{self.host}' is not this machine; it has no password, so: 127.0.0.1"
            )
        if not 0 < self.port <= 65535:
            raise ValueError(f"option 'port': {self.port} is not a port")
        for name in ("threads", "threads_batch", "slots", "context", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"option '{name}': must be 1 or more")


def models(options: Options) -> list[str]:
    """What fetch must bring: nothing where the model is a file of the user's own."""
    return [] if is_path(options.model) else [options.model]


def is_path(model: str) -> bool:
    """Whether `model` names a file and not an entry of the manifest."""
    return "/" in model or model.endswith(".gguf")
