"""What the language model's server can be told on its command line."""

from dataclasses import dataclass, field
from pathlib import Path

from engines.options import check_least, check_local

BUNDLES = Path(__file__).parent.parent / "bundles"
MODEL = "model.gguf"
SERVER = "native/llama-server"
REPACKED = "model-amx.gguf"  # what that server reads where there is one
BATCH, AMX_BATCH = 16, 24
MOST_NICE = 19


@dataclass(frozen=True)
class Options:
    """`python -m engines.llm key=value ...`; conf/llm/*.yaml says what each is for."""

    host: str = "127.0.0.1"
    port: int = 8021
    model: str = "qwen-1.5b"  # a name that fetch knows, or a path to a GGUF file
    bundle: str = "auto"  # what build_engines.sh made: auto, the one of this model's name; none; or a folder
    threads: int = 2  # of decoding
    threads_batch: int = 2  # of prefilling
    slots: int = 3  # one for each character, the last for the background
    context: int = 3072  # tokens that a slot holds
    batch: int = 0  # tokens prefilled at once: a cancel is noticed between two; 0: what suits the server
    flash: bool = False  # flash attention: on a CPU it makes a short prefill behind a long prefix slower
    mmap: bool = False  # the file stays mapped beside the repacked weights: 600 MB more, 0.3 s less to load
    prefix_folder: str = ""  # where prefilled prefixes are kept; "" is in the user's cache, "none" nowhere
    adapters: dict[str, str] = field(default_factory=dict)  # character: GGUF file of a LoRA; requests choose
    spin: int = 500  # how long a thread that waits for the other keeps its core (GOMP_SPINCOUNT)
    nice: int = 5  # 0-19: how far it stands back where others want its cores, who want them for a moment

    def __post_init__(self) -> None:
        check_local(self)
        if self.bundle not in ("auto", "none") and not Path(self.bundle).expanduser().is_dir():
            raise ValueError(f"option 'bundle': there is no folder {self.bundle}; cure: auto, or none")
        check_least(self, 1, "threads", "threads_batch", "slots", "context")
        check_least(self, 0, "batch", "spin", "nice")
        if self.nice > MOST_NICE:
            raise ValueError(f"option 'nice': {self.nice} is more than {MOST_NICE}")


def models(options: Options) -> list[str]:
    """What fetch must bring: nothing where the model is a file of the user's own."""
    return [] if is_path(options.model) or bundled(options, MODEL) else [options.model]


def bundled(options: Options, name: str) -> Path | None:
    """A file of the bundle, where there is a bundle that has it."""
    if options.bundle == "none" or (is_path(options.model) and (options.bundle == "auto" or name != SERVER)):
        return None  # a file of the user's own is what is served, if need be by the bundle's server
    own = BUNDLES / options.model if options.bundle == "auto" else Path(options.bundle).expanduser()
    path = own / name
    return path if path.is_file() else None


def batch(options: Options) -> int:
    """How many tokens are prefilled at once. A CPU with AMX takes 24 in the time of 16."""
    return options.batch or (AMX_BATCH if bundled(options, REPACKED) else BATCH)


def is_path(model: str) -> bool:
    """Whether `model` names a file and not an entry of the manifest."""
    return "/" in model or model.endswith(".gguf")
