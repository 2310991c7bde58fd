"""Cuts a Piper model (VITS) in two, so that its sound comes window by window instead of all at once.

The encoder turns phonemes into latent frames (and knows how long each phoneme lasts); the decoder
(HiFi-GAN) turns each frame into 256 samples and looks only a few frames to either side. Decoding windows
with that much context gives the whole run's samples to six decimals, and the first words after
a tenth of the time. The architecture: Kim, Kong and Son 2021, "Conditional Variational Autoencoder with
Adversarial Learning for End-to-End Text-to-Speech".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import onnx

from engines.speech.session import WrongModel, parsed

DECODER = "/dec/"  # the exporter's scope of the decoder's nodes


@dataclass(frozen=True, slots=True)
class Halves:
    """The two models, serialised, and the names of what goes between them."""

    encoder: bytes  # input, input_lengths, scales -> latent [1, channels, frames], frames per phoneme id
    decoder: bytes  # latent -> samples [1, 1, 1, frames * 256]
    latent: str
    frames: str


def split(path: Path) -> Halves:
    """Cut the model at `path`. Raises WrongModel."""
    model = parsed(path)
    nodes = list(model.graph.node)
    first = next((i for i, node in enumerate(nodes) if node.name.startswith(DECODER)), None)
    ceils = [node.output[0] for node in nodes if node.op_type == "Ceil"]
    if first is None or len(ceils) != 1 or len(model.graph.input) != 3:
        raise WrongModel(f"{path} is not a single-speaker Piper voice")
    latent = nodes[first].input[0]
    floats = onnx.TensorProto.FLOAT
    between = onnx.helper.make_tensor_value_info(latent, floats, [1, None, None])
    durations = onnx.helper.make_empty_tensor_value_info(ceils[0])
    tail = nodes[first:]
    tail = _constants(nodes[:first], tail, latent) + tail
    return Halves(
        encoder=_model(model, nodes[:first], list(model.graph.input), [between, durations]),
        decoder=_model(model, tail, [between], list(model.graph.output)),
        latent=latent,
        frames=ceils[0],
    )


def _constants(
    before: list[onnx.NodeProto], after: list[onnx.NodeProto], latent: str
) -> list[onnx.NodeProto]:
    """Nodes in front of the cut whose results the part behind it needs as well."""
    needed = {name for node in after for name in node.input} - {latent}
    return [node for node in before if needed & set(node.output)]


def _model(
    whole: onnx.ModelProto,
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
) -> bytes:
    used = {name for node in nodes for name in node.input}
    weights = [tensor for tensor in whole.graph.initializer if tensor.name in used]
    graph = onnx.helper.make_graph(nodes, "half", inputs, outputs, weights)
    half = onnx.helper.make_model(graph, opset_imports=whole.opset_import, ir_version=whole.ir_version)
    return bytes(half.SerializeToString())
