"""How every model here is read and run: on the CPU, threads asleep between inferences, memory bounded."""

from pathlib import Path

import onnx
import onnxruntime as ort
from google.protobuf.message import DecodeError
from onnxruntime.capi import onnxruntime_pybind11_state as state

REFUSED = (state.Fail, state.InvalidGraph, state.InvalidProtobuf, state.InvalidArgument, state.NotImplemented)


class WrongModel(Exception):
    """A file is not what it should be; one line saying so."""


def parsed(path: Path) -> onnx.ModelProto:
    """The model in a file. Raises WrongModel."""
    try:
        return onnx.load(str(path))
    except DecodeError as error:
        raise WrongModel(f"{path} is damaged or no ONNX model; cure: fetch it again") from error


def session(model: bytes, threads: int) -> ort.InferenceSession:
    """A model ready to run. Raises WrongModel."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Every text has a shape of its own, and the arena keeps memory for each; without it nothing is slower.
    options.enable_cpu_mem_arena = False
    # Spinning threads fight the language model's for the cores: 84 ms instead of 56 for the same clause.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # a stopped inference is no error
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except REFUSED as error:
        raise WrongModel(f"the model cannot be run: {error}; cure: fetch it again") from error
