"""What the vision server can be told on its command line."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from engines.options import check_least, check_local


class Device(Enum):
    """Where the models run. A GPU that is asked for and not there is refused, never replaced by the CPU."""

    cpu = "cpu"
    cuda = "cuda"


@dataclass(frozen=True)
class Options:
    """`python -m engines.vision key=value ...`; conf/vision/*.yaml says what each is for."""

    host: str = "127.0.0.1"
    port: int = 8026
    device: Device = Device.cpu
    threads: int = 2  # of one inference
    models: list[str] = field(default_factory=lambda: ["guard", "text"])
    # a folder with a YOLO-World: model.onnx; for words of one's own text.onnx, tokenizer.json
    detect: str = ""
    words: list[str] = field(default_factory=list)  # what it looks for; none: the classes that the file names
    caption: str = ""  # a folder with a Florence-2: four ONNX files and tokenizer.json
    guard_side: int = 320  # pixels; what the picture is scaled to for the guard, a multiple of 32
    text_side: int = 960  # likewise at most, for finding text
    max_pixels: int = 16_777_216  # of a picture; over it INVALID_ARGUMENT

    def __post_init__(self) -> None:
        check_local(self)
        check_least(self, 1, "threads", "max_pixels")
        for name in ("guard_side", "text_side"):
            side = getattr(self, name)
            if side < 32 or side % 32:
                raise ValueError(f"option '{name}': must be a multiple of 32, not {side}")
        unknown = [name for name in self.models if name not in FETCHED]
        if unknown:
            raise ValueError(f"option 'models': no '{unknown[0]}'; they are: {', '.join(FETCHED)}")
        if not (self.models or self.detect or self.caption):
            raise ValueError("option 'models': none is chosen, and neither detect nor caption names a folder")


FETCHED = {"guard": "nudenet", "text": "ppocr"}  # a model of the wire: what fetch brings for it


def models(options: Options) -> list[str]:
    """What fetch must bring."""
    return [FETCHED[name] for name in options.models]


def prepare(options: Options, say: Callable[[str], None]) -> None:
    """Make the environment that the server needs, where it is not there. Raises ModelError, before anything
    is fetched, where a GPU is asked for and there is none."""
    from engines.cache import ModelError
    from engines.vision.environment import environment

    if options.device is Device.cuda and shutil.which("nvidia-smi") is None:
        raise ModelError(
            "vision: no NVIDIA GPU here (nvidia-smi is missing); cure: vision=local or none, or the driver"
        )
    environment(options.device).make(say)
