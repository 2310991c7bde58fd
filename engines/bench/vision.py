"""The eyes, on the Triton wire: an inference of every model that takes a picture, and the wire's own cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack

import numpy as np

from engines.bench.errors import BenchFailed, Lacking
from engines.bench.options import Options
from engines.bench.rows import FLOOR, Row, ms, row
from engines.bench.together import together
from engines.bench.triton import TYPES, HttpWire, Slot, Tensor, Wire
from engines.bench.triton_grpc import GrpcWire

PART = "vision"


def wire(address: str, within: float) -> Wire:
    """HTTP for an address that says so, else gRPC."""
    return HttpWire(address, within) if address.startswith("http") else GrpcWire(address, within)


def tensor(slot: Slot, size: Sequence[int], noise: np.random.Generator) -> Tensor:
    """Random values of an input's type: of its own shape where that is fixed, else a batch of one picture of
    `size`. Raises BenchFailed for a type that Triton does not have."""
    if slot.datatype not in TYPES:
        raise BenchFailed(f"{PART}: input '{slot.name}' has the type {slot.datatype}, which is not known")
    shape = _shape(slot, size)
    kind = np.dtype(TYPES[slot.datatype])
    if kind == np.object_:
        return np.full(shape, b"bench", np.object_)
    if kind.kind == "f":
        return noise.random(shape, np.float32).astype(kind)
    top = 2 if kind == np.bool_ else 10 if kind.itemsize > 1 else 127 if kind.kind == "i" else 256
    return noise.integers(0, top, shape).astype(kind)


def _shape(slot: Slot, size: Sequence[int]) -> tuple[int, ...]:
    sizes = iter(size if len(slot.shape) > 2 else ())
    made = list(slot.shape)
    batched = len(made) == 4 and made[0] < 0
    for place, length in enumerate(made):
        if length < 0:
            made[place] = 1 if batched and place == 0 else next(sizes, 1)
    return tuple(made)


class VisionBench:
    """The cases against one server."""

    def __init__(self, address: str, options: Options, models: Sequence[str] = ()) -> None:
        """`models`: to ask, where the options name none; empty: the server is asked for them."""
        self._address, self._options = address, options
        self._named = options.models or models
        self.rows: list[Row] = []  # what was measured so far
        self._asked: dict[str, Mapping[str, Tensor]] = {}

    async def run(self, say: Callable[[str], None]) -> list[Row]:
        """Every model under every number of clients. Raises BenchFailed, Lacking."""
        for count in self._options.clients:
            say(f"vision: {count} clients")
            async with AsyncExitStack() as stack:
                wires = [
                    await stack.enter_async_context(wire(self._address, self._options.timeout_s))
                    for _ in range(count)
                ]
                self._asked = self._asked or await self._found(wires[0])
                for model, tensors in self._asked.items():
                    self.rows += await self._model(wires, model, tensors)
        return self.rows

    def notes(self) -> list[str]:
        """What a reader of the rows should know."""
        inputs = [
            f"{model} takes {', '.join(f'{name} {list(t.shape)}' for name, t in tensors.items())}"
            for model, tensors in self._asked.items()
        ]
        return [*inputs, "pictures are noise: a model that looks closer where it sees something does less"]

    async def _found(self, one: Wire) -> dict[str, Mapping[str, Tensor]]:
        """The models that are asked, each with its input, from the server's metadata."""
        noise = np.random.default_rng(7)
        found: dict[str, Mapping[str, Tensor]] = {}
        for model in self._named or await one.models():
            needs = await one.inputs(model)
            if self._named or any(slot.picture for slot in needs):
                found[model] = {slot.name: tensor(slot, self._options.size, noise) for slot in needs}
        if not found:
            raise Lacking(f"{PART} at {self._address}: no model takes a picture; cure: models=[NAME]")
        return found

    async def _model(self, wires: Sequence[Wire], model: str, tensors: Mapping[str, Tensor]) -> list[Row]:
        async def infer(one: Wire, number: int) -> float:
            began = time.perf_counter()
            if not await one.infer(model, tensors):
                raise BenchFailed(f"{PART} at {self._address}: {model} gave no tensor")
            return time.perf_counter() - began

        async def refused(one: Wire, number: int) -> float:
            began = time.perf_counter()
            await one.refused(tensors)
            return time.perf_counter() - began

        await together(wires, 2 * len(wires), infer)
        took = await together(wires, self._options.rounds, infer)
        alone = await together(wires, self._options.rounds, refused)
        count = len(wires)
        size = sum(each.nbytes for each in tensors.values()) / 1e6
        return [
            row(PART, "inference", model, count, "ms", ms(took)),
            row(PART, FLOOR, f"wire alone: {model}'s {size:.1f} MB, refused", count, "ms", ms(alone)),
        ]
