"""Small ONNX files of the shapes of YOLO-World, CLIP's text side and Florence-2, with known answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

WIDTH = 8  # of Florence-2's vectors here (768 in the real one), and of CLIP's (512)
SEEN = 5  # vectors of a picture (577)
REAL, WHOLE = TensorProto.FLOAT, TensorProto.INT64


def _save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    constants: Mapping[str, NDArray[Any]],
    **known: str,
) -> None:
    kept = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(list(nodes), "small", list(inputs), list(outputs), kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, known)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def _value(name: str, kind: int, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def head(path: Path, rows: NDArray[np.float32], names: Sequence[str], side: int = 64) -> None:
    """A YOLOv8 detector that always answers `rows` [4 + classes, anchors], whatever the picture."""
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[0, 1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["rows", "nothing"], ["output0"]),
    ]
    constants = {"rows": rows[None].astype(np.float32), "zero": np.zeros((), np.float32)}
    listed = str(dict(enumerate(names)))
    _save(
        path,
        nodes,
        [_value("images", REAL, 1, 3, side, side)],
        [_value("output0", REAL, 1, *rows.shape)],
        constants,
        names=listed,
        imgsz=f"[{side}, {side}]",
    )


def world(folder: Path) -> None:
    """A YOLO-World with one anchor, 10,20 to 30,40 of 640, whose logit for a word is 4 times the first number
    of the word's vector; and a CLIP whose vector is [1, 0, ...] for the token 5 and [-1, 0, ...] else."""
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[0, 1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Slice", ["txt_feats", "from", "to", "axis"], ["firsts"]),
        helper.make_node("Mul", ["firsts", "four"], ["logits"]),
        helper.make_node("Concat", ["box", "logits"], ["whole"], axis=1),
        helper.make_node("Add", ["whole", "nothing"], ["output0"]),
    ]
    constants: dict[str, NDArray[Any]] = {
        "zero": np.zeros((), np.float32),
        "four": np.array([4], np.float32),
        "from": np.array([0], np.int64),
        "to": np.array([1], np.int64),
        "axis": np.array([2], np.int64),
        "box": np.array([[[20], [30], [20], [20]]], np.float32),
    }
    _save(
        folder / "model.onnx",
        nodes,
        [_value("images", REAL, 1, 3, "h", "w"), _value("txt_feats", REAL, 1, "n", WIDTH)],
        [_value("output0", REAL, 1, "rows", 1)],
        constants,
    )
    _clip(folder / "text.onnx")
    _words(folder / "tokenizer.json", {"<unk>": 0, "sword": 5, "cat": 6})


def _clip(path: Path) -> None:
    table = np.zeros((16, WIDTH), np.float32)
    table[:, 0] = -1
    table[5, 0] = 1
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["each"]),
        helper.make_node("ReduceMean", ["each"], ["text_embeds"], axes=[1], keepdims=0),
    ]
    inputs, outputs = [_value("input_ids", WHOLE, 1, "n")], [_value("text_embeds", REAL, 1, WIDTH)]
    _save(path, nodes, inputs, outputs, {"table": table})


def florence(folder: Path, sentence: Sequence[int], vocabulary: dict[str, int]) -> None:
    """A Florence-2 that says the tokens of `sentence`, then its end: the decoder's logits come from how many
    tokens it was given. Its encoder must get SEEN vectors of a picture and those of the question."""
    size = max(vocabulary.values()) + 1
    table = np.zeros((size, WIDTH), np.float32)
    _save(
        folder / "embed_tokens.onnx",
        [helper.make_node("Gather", ["table", "input_ids"], ["inputs_embeds"])],
        [_value("input_ids", WHOLE, 1, "n")],
        [_value("inputs_embeds", REAL, 1, "n", WIDTH)],
        {"table": table},
    )
    seen = {"into": np.ones((1, SEEN, WIDTH), np.float32)}
    _save(
        folder / "vision_encoder.onnx",
        [
            helper.make_node("ReduceMean", ["pixel_values"], ["mean"], axes=[0, 1, 2, 3], keepdims=0),
            helper.make_node("Mul", ["into", "mean"], ["image_features"]),
        ],
        [_value("pixel_values", REAL, 1, 3, 768, 768)],
        [_value("image_features", REAL, 1, SEEN, WIDTH)],
        seen,
    )
    _save(
        folder / "encoder_model.onnx",
        [
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=REAL),
            helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
            helper.make_node("Mul", ["inputs_embeds", "column"], ["last_hidden_state"]),
        ],
        [_value("inputs_embeds", REAL, 1, "n", WIDTH), _value("attention_mask", WHOLE, 1, "n")],
        [_value("last_hidden_state", REAL, 1, "n", WIDTH)],
        {"last": np.array([2], np.int64)},
    )
    _decoder(folder / "decoder_model.onnx", sentence, size)
    _words(folder / "tokenizer.json", vocabulary)


def _decoder(path: Path, sentence: Sequence[int], size: int) -> None:
    """Row k of `chart` is what comes after k tokens: two are given at the start."""
    chart = np.zeros((80, size), np.float32)
    for place in range(len(chart)):
        chart[place, sentence[place - 2] if 2 <= place < len(sentence) + 2 else 2] = 9.0
    nodes = [
        helper.make_node("Shape", ["inputs_embeds"], ["shape"]),
        helper.make_node("Gather", ["shape", "one"], ["count"]),
        helper.make_node("Gather", ["chart", "count"], ["row"]),
        helper.make_node("Unsqueeze", ["row", "first"], ["last"]),
        helper.make_node("ReduceMean", ["encoder_hidden_states"], ["mean"], axes=[0, 1, 2], keepdims=0),
        helper.make_node("Cast", ["encoder_attention_mask"], ["mask"], to=REAL),
        helper.make_node("ReduceMean", ["mask"], ["share"], axes=[0, 1], keepdims=0),
        helper.make_node("Mul", ["mean", "share"], ["product"]),
        helper.make_node("Mul", ["product", "zero"], ["nothing"]),
        helper.make_node("Add", ["last", "nothing"], ["logits"]),
    ]
    _save(
        path,
        nodes,
        [
            _value("inputs_embeds", REAL, 1, "n", WIDTH),
            _value("encoder_hidden_states", REAL, 1, "m", WIDTH),
            _value("encoder_attention_mask", WHOLE, 1, "m"),
        ],
        [_value("logits", REAL, 1, 1, size)],
        {
            "chart": chart,
            "one": np.array([1], np.int64),
            "first": np.array([0], np.int64),
            "zero": np.zeros((), np.float32),
        },
    )


def _words(path: Path, vocabulary: dict[str, int]) -> None:
    """A tokenizer.json of whole words."""
    special = [
        {"id": number, "content": word, "special": True}
        | dict.fromkeys(["single_word", "lstrip", "rstrip", "normalized"], False)
        for word, number in vocabulary.items()
        if word.startswith("<")
    ]
    said = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"},
    }
    path.write_text(json.dumps(said), encoding="utf-8")
