"""Teaches a FastPitch a voice, in NeMo's own environment: `python engines/finetune JOB.json`.

Says what it does in lines on stderr; exit 1 with one line when it fails. Imports nothing of this project.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from nemo.collections.tts.data.dataset import TTSDataset
from nemo.collections.tts.models import FastPitchModel
from omegaconf import DictConfig, OmegaConf, open_dict

DATASET = "nemo.collections.tts.data.dataset.TTSDataset"
WORKERS = 4  # processes that read clips, a data set
TOLD = 50  # steps between two lines


def main() -> None:
    """The command line."""
    job = json.loads(Path(sys.argv[1]).read_text())
    if job["device"] == "cuda" and not torch.cuda.is_available():
        sys.exit("voice: torch reaches no GPU; cure: the driver (nvidia-smi), or device=cpu")
    say(f"loading {job['base']}")
    config = FastPitchModel.restore_from(job["base"], return_config=True)
    aimed(config, job)
    trainer = Trainer(
        accelerator="gpu" if job["device"] == "cuda" else "cpu",
        devices=1,
        max_steps=job["steps"],
        gradient_clip_val=1000.0,  # as in NeMo's own config
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        callbacks=[Told(job["steps"])],
    )
    model = FastPitchModel.restore_from(
        job["base"], override_config_path=config, trainer=trainer, map_location="cpu"
    )
    say("measuring the pitch of the recordings")
    mean, deviation = pitch(config, model.vocab)
    say(f"pitch {mean:.0f} Hz, deviation {deviation:.0f}")
    for section in (config, config.train_ds.dataset, config.validation_ds.dataset):
        with open_dict(section):
            section.pitch_mean, section.pitch_std = mean, deviation
    model.cfg = config
    model.setup_training_data(config.train_ds)
    model.setup_validation_data(config.validation_ds)
    trainer.fit(model)
    if not all(torch.isfinite(each).all() for each in model.parameters()):
        sys.exit("voice: it learned nonsense (weights that are no numbers); cure: a lower rate=")
    model.save_to(job["out"])
    say(f"written {job['out']}")


def aimed(config: DictConfig, job: dict[str, Any]) -> None:
    """The base's config, for these recordings and plain Adam at one rate."""
    cache = str(Path(job["out"]).parent / "pitch")
    common = {"sup_data_path": cache, "sup_data_types": ["align_prior_matrix", "pitch"], "pitch_norm": True}
    for name, manifest in (("train_ds", job["train"]), ("validation_ds", job["validation"])):
        own = {"_target_": DATASET, "manifest_filepath": manifest, "ignore_file": None, "max_duration": None}
        loading = {"batch_size": job["batch"], "num_workers": WORKERS, "shuffle": name == "train_ds"}
        with open_dict(config):
            config[name].dataset = OmegaConf.merge(config[name].dataset, common, own)
            config[name].dataloader_params = OmegaConf.merge(config[name].dataloader_params, loading)
    with open_dict(config):
        config.optim = {"name": "adam", "lr": job["rate"]}


def pitch(config: DictConfig, tokens: Any) -> tuple[float, float]:
    """Mean and deviation of what is voiced, Hz. NeMo's data set measures each clip once, and keeps it."""
    said = OmegaConf.to_container(config.train_ds.dataset, resolve=True)
    assert isinstance(said, dict)
    options = {str(key): value for key, value in said.items() if key != "_target_"}
    measured = TTSDataset(**options | {"pitch_norm": False}, text_tokenizer=tokens)
    for number in range(len(measured)):
        if number % TOLD == 0:
            say(f"clip {number} of {len(measured)}")
        measured[number]
    kept = [torch.load(path) for path in sorted((Path(options["sup_data_path"]) / "pitch").rglob("*.pt"))]
    voiced = torch.cat([each[each > 0] for each in kept])
    if len(voiced) < 2 or not math.isfinite(voiced.std().item()):
        sys.exit("voice: nothing in the recordings is voiced; cure: recordings of speech")
    return voiced.mean().item(), voiced.std().item()


class Told(Callback):  # type: ignore[misc]  # no types here: it lives in another environment
    """Tells how it gets on."""

    def __init__(self, steps: int) -> None:
        self._steps = steps

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, *_: Any) -> None:
        """Of every so many-th step, and the last."""
        if trainer.global_step % TOLD == 0 or trainer.global_step == self._steps:
            say(f"step {trainer.global_step} of {self._steps}, loss {outputs['loss'].item():.3f}")


def say(line: str) -> None:
    """A line for the parent to show."""
    sys.stderr.write(f"voice: {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
