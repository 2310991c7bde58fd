"""`./build_engines.sh voice data=FOLDER [key=value ...]`: a FastPitch learns a voice, with NeMo.

The result is a .nemo file. Riva takes it through NVIDIA's own riva-build (on x86-64), beside a HiFi-GAN.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from engines import room
from engines.bars import Bars
from engines.bundle.errors import BundleError
from engines.bundle.hub import Hub, Listing, place
from engines.cache import ModelError
from engines.environment import Environment
from engines.finetune.recordings import Flawed, manifests, read
from engines.model import HUB
from engines.options import OptionError, check_least, parse
from engines.program import DAY, Failed, run
from engines.vision.options import Device

HERE = Path(__file__).parent
RUNS = HERE.parent.parent / "runs"
QUIET = {"HF_HUB_OFFLINE": "1", "WANDB_MODE": "disabled"}
WITHIN = 7 * DAY  # seconds of training; a voice takes hours, and one that hangs ends too
ENVIRONMENT = Environment("finetune", HERE / "requirements.txt", "SPARK_FINETUNE_ENV", "6.5 GB", 7200.0)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """`./build_engines.sh voice key=value ...`"""

    data: str = ""  # folder of the recordings: WAV files beside metadata.csv or manifest.jsonl
    out: str = ""  # folder of manifests, pitch and the voice; empty: runs/voice-NAME
    # the FastPitch to start from: a .nemo file, or a repository with one
    base: str = "nvidia/tts_en_fastpitch"
    revision: str = "main"  # of that repository
    hub: str = HUB
    minutes: float = 5.0  # of speech, at least
    steps: int = 1000  # of training; NeMo's own tutorial takes as many for five minutes of speech
    rate: float = 2e-4  # of learning; NeMo recommends this one
    batch: int = 16  # clips a step
    device: Device = Device.cuda  # cuda that is not there is refused; cpu: to try the way with a small model

    def __post_init__(self) -> None:
        check_least(self, 1, "steps", "batch")
        if not 1e-5 <= self.rate <= 1e-3:
            raise ValueError(f"option 'rate': {self.rate:g} is not between 1e-5 and 1e-3")
        if not self.data or not Path(self.data).expanduser().is_dir():
            raise ValueError(f"option 'data': '{self.data}' is no folder; data=FOLDER with the recordings")


def main(words: Sequence[str]) -> None:
    """The command line. Exit status 2 for a wrong word, 1 when something is not to be had; a line each."""
    console = Console(stderr=True)
    try:
        made = voice(parse(Options, words), console)
        console.print(f"the voice is {made}: riva-build makes a Riva model of it, on x86-64", soft_wrap=True)
    except OptionError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except (Flawed, BundleError, ModelError) as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(room.told(error))
    except KeyboardInterrupt:
        sys.exit(130)


def voice(options: Options, console: Console) -> Path:
    """From recordings to the voice's .nemo file. Raises Flawed, BundleError, ModelError, OSError."""

    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    data = Path(options.data).expanduser().resolve()
    out = Path(options.out).expanduser().absolute() if options.out else RUNS / f"voice-{data.name}"
    clips = read(data, options.minutes)
    train, validation = manifests(clips, out)
    spoken = sum(clip.seconds for clip in clips) / 60
    say(f"{len(clips)} clips, {spoken:.1f} minutes, all sound; NeMo's manifests: {train}, {validation}")
    if options.device is Device.cuda and shutil.which("nvidia-smi") is None:
        raise ModelError("voice: no NVIDIA GPU here (nvidia-smi is missing); cure: run this on the Spark")
    base = _base(options, console)
    ENVIRONMENT.make(say)
    made = out / "voice.nemo"
    job = {"base": str(base), "train": str(train), "validation": str(validation), "out": str(made)}
    asked = {name: getattr(options, name) for name in ("steps", "rate", "batch")}
    (out / "job.json").write_text(json.dumps(job | asked | {"device": options.device.value}, indent=2))
    trained([str(ENVIRONMENT.python), str(HERE), str(out / "job.json")], say)
    return made


def _base(options: Options, console: Console) -> Path:
    """The .nemo file to start from. Raises BundleError."""
    if options.base.endswith(".nemo"):
        path = Path(options.base).expanduser().absolute()
        if not path.is_file():
            raise BundleError(f"{path} is missing; cure: base=FILE.nemo, or base=REPOSITORY")
        return path
    hub, folder = Hub(options.hub), place(options.base, options.revision)
    said = hub.listing(options.base, options.revision)
    found = tuple(file for file in said.files if file.name.endswith(".nemo"))
    if len(found) != 1:
        raise BundleError(f"{options.base} has {len(found)} .nemo files, not one; cure: base=FILE.nemo")
    with Bars(console) as bars:
        hub.fetch(Listing(said.repository, said.commit, found), folder, bars)
    return folder / found[0].name


def trained(argv: Sequence[str], say: Say) -> None:
    """Run the training to its end; its own lines are told. Raises ModelError with its last one."""

    def hear(line: str) -> None:
        if line.startswith("voice: "):
            say(line.removeprefix("voice: "))

    try:
        run(argv, WITHIN, hear, **QUIET)
    except Failed as error:
        usual = "fewer steps=" if error.late else "another base=, or batch=8 where memory ran out"
        usual = room.cure(error.words, Path(argv[-1]).parent, usual)
        cure = "" if "cure: " in error.last else f"; cure: {usual}"
        raise ModelError(f"voice: training {error}{cure}") from error
