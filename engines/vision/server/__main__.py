"""The Triton server itself, in its own environment: `python -m engines.vision.server '{"port": 8026, ...}'`.

Started by engines/vision/__main__.py, which ends it for certain. Imports nothing that needs numpy 2.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from pytriton.exceptions import PyTritonError
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

from engines.vision.server.sessions import Unusable
from engines.vision.server.tensors import Slot, Unit, words

PR_SET_PDEATHSIG = 1
ABOUT = (Slot("models", bytes, (-1,)), Slot("providers", bytes, (-1,)))


class Served(Triton):  # type: ignore[misc]  # no types here: it lives in another environment
    """PyTriton that ends with its tritonserver. By itself it waits for one that died while starting, for
    minutes; its own hook is told at once, however briefly that one lived."""

    def _on_tritonserver_exit(self, *_: object) -> None:
        os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Serve until a signal. Exit 1 with one line where that cannot be."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.environ.get("SPARK_PARENT", str(os.getppid())) != str(os.getppid()):
        sys.exit(1)  # it died before this was asked
    if not sys.argv[1:] or not sys.argv[1]:
        sys.exit("vision: it is not told what to serve; cure: python launch.py stack=spark starts it")
    asked = json.loads(sys.argv[1])
    try:
        units = list(loaded(asked))
        for unit in units:
            _say(f"{unit.name} runs on {' '.join(dict.fromkeys(unit.providers))}")
        triton = Served(config=_config(asked), workspace=asked["workspace"])
        for unit in units:
            _bind(triton, unit.name, unit.inputs, unit.outputs, unit.infer)
        _bind(triton, "about", [Slot("ask", bytes, (1,))], ABOUT, _about(units))
        triton.run()
    except (Unusable, PyTritonError) as error:
        _say(str(error))
        sys.exit(1)
    _say(f"ready at {asked['host']}:{asked['port']}")
    while True:
        signal.pause()


def loaded(asked: dict[str, Any]) -> Iterator[Unit]:
    """The models that are asked for. Raises Unusable."""
    common = asked["device"], asked["threads"], asked["max_pixels"]
    files = {name: Path(path) for name, path in asked["files"].items()}
    if "guard" in files:
        from engines.vision.server.detect import Guard

        yield Guard("guard", files["guard"], *common, asked["guard_side"])
    if "find" in files:
        from engines.vision.server.text import Reader

        yield Reader(files["find"], files["spell"], *common, asked["text_side"])
    if "detect" in files:
        from engines.vision.server.world import World

        yield World(files["detect"], asked["words"], *common)
    if "caption" in files:
        from engines.vision.server.caption import Captioner

        yield Captioner(files["caption"], *common)


def _config(asked: dict[str, Any]) -> TritonConfig:
    """gRPC on one loopback port and nothing else: PyTriton would open three to the network."""
    return TritonConfig(
        allow_http=False,
        allow_metrics=False,
        grpc_address=asked["host"],
        grpc_port=asked["port"],
        exit_timeout_secs=1,
    )


def _bind(
    triton: Triton,
    name: str,
    inputs: Sequence[Slot],
    outputs: Sequence[Slot],
    infer: Callable[[dict[str, NDArray[Any]]], dict[str, NDArray[Any]]],
) -> None:
    def answer(requests: Sequence[dict[str, NDArray[Any]]]) -> list[dict[str, NDArray[Any]]]:
        return [infer(request) for request in requests]

    triton.bind(
        name,
        answer,
        inputs=[Tensor(name=s.name, dtype=s.dtype, shape=s.shape, optional=s.optional) for s in inputs],
        outputs=[Tensor(name=s.name, dtype=s.dtype, shape=s.shape) for s in outputs],
        config=ModelConfig(batching=False),
        strict=True,
    )


def _about(units: Sequence[Unit]) -> Callable[[Any], dict[str, NDArray[Any]]]:
    told = {
        "models": words([unit.name for unit in units]),
        "providers": words([" ".join(dict.fromkeys(unit.providers)) for unit in units]),
    }
    return lambda _: told


def _end(number: int, frame: object) -> None:
    """Everything of this group at once: tritonserver may ignore a gentler signal."""
    os.killpg(0, signal.SIGKILL)


def _say(line: str) -> None:
    sys.stderr.write(f"vision: {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
