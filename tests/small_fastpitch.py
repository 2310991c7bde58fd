"""Makes a small FastPitch of random weights, in NeMo's environment: `small_fastpitch.py OUT MANIFEST`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from nemo.collections.tts.models import FastPitchModel
from omegaconf import OmegaConf

WIDTH = 32
NEMO = "nemo.collections"
SOUND = {"lowfreq": 0, "highfreq": 8000, "n_fft": 1024, "window": "hann", "sample_rate": 22050}
PITCH = {"pitch_fmin": 65.4, "pitch_fmax": 2093.0, "pitch_mean": 212.0, "pitch_std": 68.0}
TURN = {"n_layer": 1, "n_head": 1, "d_model": WIDTH, "d_head": 16, "d_inner": WIDTH, "kernel_size": 3}
LOSS = {"dropout": 0.1, "dropatt": 0.1, "dropemb": 0.0}


def data(manifest: str, shuffle: bool) -> dict[str, Any]:
    """A data set's section."""
    own = {
        "_target_": f"{NEMO}.tts.data.dataset.TTSDataset",
        "manifest_filepath": manifest,
        "sup_data_path": str(Path(manifest).parent / "pitch"),
        "sup_data_types": ["align_prior_matrix", "pitch"],
        "win_length": 1024,
        "hop_length": 256,
        "n_mels": 80,
        "pitch_norm": True,
        "use_beta_binomial_interpolator": True,
    }
    return {
        "dataset": own | SOUND | PITCH,
        "dataloader_params": {"batch_size": 2, "num_workers": 0, "shuffle": shuffle},
    }


def predictor() -> dict[str, Any]:
    """The section of a predictor of durations or pitch."""
    target = f"{NEMO}.tts.modules.fastpitch.TemporalPredictor"
    shape = {"input_size": WIDTH, "kernel_size": 3, "filter_size": 16, "dropout": 0.1, "n_layers": 1}
    return {"_target_": target} | shape


def config(manifest: str) -> dict[str, Any]:
    """The model's, with the sections of NeMo's own fastpitch_align."""
    turn, text = f"{NEMO}.tts.modules.transformer", f"{NEMO}.common.tokenizers.text_to_speech.tts_tokenizers"
    spectrum = {"features": 80, "n_window_size": 1024, "window_size": False, "n_window_stride": 256}
    return {
        "learn_alignment": True,
        "n_speakers": 1,
        "max_token_duration": 75,
        "symbols_embedding_dim": WIDTH,
        "pitch_embedding_kernel_size": 3,
        "n_mel_channels": 80,
        "text_tokenizer": {"_target_": f"{text}.EnglishCharsTokenizer", "pad_with_space": True},
        "train_ds": data(manifest, True),
        "validation_ds": data(manifest, False),
        "preprocessor": {
            "_target_": f"{NEMO}.asr.modules.AudioToMelSpectrogramPreprocessor",
            "window_stride": False,
            "normalize": None,
            "preemph": None,
            "pad_to": 1,
            "dither": 0.0,
            **spectrum,
            **SOUND,
        },
        "input_fft": {"_target_": f"{turn}.FFTransformerEncoder", "d_embed": WIDTH} | TURN | LOSS,
        "output_fft": {"_target_": f"{turn}.FFTransformerDecoder"} | TURN | LOSS,
        "alignment_module": {
            "_target_": f"{NEMO}.tts.modules.aligner.AlignmentEncoder",
            "n_text_channels": WIDTH,
        },
        "duration_predictor": predictor(),
        "pitch_predictor": predictor(),
        "optim": {"name": "adamw", "lr": 1e-3, "sched": {"name": "NoamAnnealing", "d_model": 1}},
        **PITCH,
    }


if __name__ == "__main__":
    FastPitchModel(cfg=OmegaConf.create(config(sys.argv[2]))).save_to(sys.argv[1])
