"""Opens an ONNX file on the device that was asked for, and says which execution provider it really got."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime as ort
from tokenizers import Tokenizer

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}

CURE = "./build_engines.sh vision, which checks its files and brings again what is damaged; your own: another"


class Unusable(Exception):
    """The server cannot be started so; one line with the cure."""


def session(path: Path, device: str, threads: int) -> Any:
    """An inference session on `device` ("cpu" or "cuda"). Raises Unusable.

    ONNX Runtime falls back to the CPU in silence, so what it really uses is asked for."""
    wanted = PROVIDERS[device]
    if wanted not in ort.get_available_providers():
        raise Unusable(
            f"{wanted} is not in this environment ({', '.join(ort.get_available_providers())});"
            " cure: a machine with a GPU and vision.engine.device=cuda, or vision.engine.device=cpu"
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # two cores are shared
    options.log_severity_level = 3
    try:
        found = ort.InferenceSession(str(path), options, providers=[wanted])
    except Exception as error:  # ONNX Runtime's errors share no base but this
        raise Unusable(f"{path} cannot be loaded ({str(error).splitlines()[0]}); cure: {CURE}") from error
    used = found.get_providers()[0]
    if used != wanted:
        raise Unusable(
            f"{device} was asked for and ONNX Runtime uses {used};"
            " cure: a GPU with its driver (nvidia-smi), or vision.engine.device=cpu"
        )
    return found


def tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a tokenizer.json. Raises Unusable."""
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the package raises a plain one
        raise Unusable(f"{path} cannot be loaded ({str(error).splitlines()[0]}); cure: {CURE}") from error
