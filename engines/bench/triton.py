"""The Triton wire (KServe v2), over gRPC or HTTP: what models there are, what they take, one inference."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

import anyio
import httpx
import numpy as np
from numpy.typing import NDArray

from engines.bench.errors import BenchFailed

Tensor = NDArray[Any]
LARGEST = 64 << 20  # bytes of an answer
TYPES: Mapping[str, type] = {
    "BOOL": np.bool_, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64,
    "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64,
    "FP16": np.float16, "FP32": np.float32, "FP64": np.float64, "BYTES": np.object_,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slot:
    """One input of a model; -1 in `shape` is any size."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    @property
    def picture(self) -> bool:
        """Whether it can be a picture: numbers in three dimensions or four."""
        return self.datatype not in ("BYTES", "BOOL") and len(self.shape) in (3, 4)


class Wire(Protocol):
    """One client's connection. Everything raises BenchFailed."""

    async def __aenter__(self) -> Self:
        """Open it."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""

    async def models(self) -> list[str]:
        """The names of those that are ready."""

    async def inputs(self, model: str) -> list[Slot]:
        """What a model needs; optional inputs are left out."""

    async def infer(self, model: str, tensors: Mapping[str, Tensor]) -> int:
        """One inference; how many tensors came back."""

    async def refused(self, tensors: Mapping[str, Tensor]) -> None:
        """The same bytes to a model that is not there: what the wire alone costs."""


ABSENT = "no-such-model"


def slots(listed: object, optional: Sequence[str]) -> list[Slot]:
    """A model's metadata as its inputs. Raises BenchFailed for what is none."""
    try:
        found = [
            Slot(str(each["name"]), str(each["datatype"]), tuple(int(size) for size in each["shape"]))
            for each in listed  # type: ignore[attr-defined]  # whatever came: checked by trying
        ]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BenchFailed(f"metadata that is none: {error}") from error
    return [slot for slot in found if slot.name not in optional]


def encoded(tensor: Tensor) -> bytes:
    """A tensor's bytes on the wire; texts are each led by their length."""
    if tensor.dtype == np.object_:
        return b"".join(struct.pack("<I", len(text)) + text for text in tensor.reshape(-1))
    return np.ascontiguousarray(tensor).tobytes()


def datatype(tensor: Tensor) -> str:
    """Triton's name of a tensor's type."""
    return next(name for name, kind in TYPES.items() if tensor.dtype == kind)


class HttpWire:
    """KServe v2 over HTTP, tensors as binary data behind the JSON (Triton's extension)."""

    def __init__(self, url: str, within: float) -> None:
        self._url, self._within = url.rstrip("/"), within

    async def __aenter__(self) -> Self:
        self._http = httpx.AsyncClient(base_url=self._url, timeout=None, trust_env=False)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.aclose()

    async def models(self) -> list[str]:
        """As the Wire says."""
        listed = await self._json("POST", "/v2/repository/index", b"{}")
        if not isinstance(listed, list):
            raise BenchFailed(f"vision at {self._url}: it lists no models; cure: models=[NAME]")
        return [
            str(each["name"]) for each in listed if isinstance(each, dict) and each.get("state") == "READY"
        ]

    async def inputs(self, model: str) -> list[Slot]:
        """As the Wire says."""
        told = await self._json("GET", f"/v2/models/{model}")
        config = await self._json("GET", f"/v2/models/{model}/config", missing=True)
        listed = config.get("input") if isinstance(config, dict) else None
        rows = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        optional = [str(each.get("name")) for each in rows if each.get("optional") is True]
        return slots(told.get("inputs") if isinstance(told, dict) else None, optional)

    async def infer(self, model: str, tensors: Mapping[str, Tensor]) -> int:
        """As the Wire says."""
        status, content, head = await self._infer(model, tensors)
        if status != httpx.codes.OK:
            raise BenchFailed(f"vision at {self._url}: {model}: HTTP {status}: {_words(content)}")
        try:
            return len(json.loads(content[:head] if head else content)["outputs"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BenchFailed(f"vision at {self._url}: {model} gave no tensors: {_words(content)}") from error

    async def refused(self, tensors: Mapping[str, Tensor]) -> None:
        """As the Wire says."""
        status, content, _ = await self._infer(ABSENT, tensors)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise BenchFailed(f"vision at {self._url}: HTTP {status}: {_words(content)}")

    async def _infer(self, model: str, tensors: Mapping[str, Tensor]) -> tuple[int, bytes, int]:
        """Status, body, and how much of it is JSON."""
        raw = {name: encoded(tensor) for name, tensor in tensors.items()}
        inputs = [
            {
                "name": name,
                "datatype": datatype(tensor),
                "shape": list(tensor.shape),
                "parameters": {"binary_data_size": len(raw[name])},
            }
            for name, tensor in tensors.items()
        ]
        head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
        headers = {"Inference-Header-Content-Length": str(len(head))}
        content = b"".join([head, *raw.values()])
        status, body, answered = await self._ask("POST", f"/v2/models/{model}/infer", content, headers)
        length = answered.get("inference-header-content-length", "")
        return status, body, int(length) if length.isdecimal() else 0

    async def _json(self, method: str, path: str, content: bytes = b"", missing: bool = False) -> Any:
        status, body, _ = await self._ask(method, path, content, {})
        if missing and status != httpx.codes.OK:
            return None
        if status != httpx.codes.OK:
            raise BenchFailed(f"vision at {self._url}{path}: HTTP {status}: {_words(body)}")
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise BenchFailed(f"vision at {self._url}{path}: not JSON: {_words(body)}") from error

    async def _ask(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes, httpx.Headers]:
        try:
            with anyio.fail_after(self._within):
                async with self._http.stream(method, path, content=content, headers=headers) as answer:
                    pieces, size = [], 0
                    async for piece in answer.aiter_bytes():
                        size += len(piece)
                        if size > LARGEST:
                            raise BenchFailed(f"vision at {self._url}{path}: an answer without an end")
                        pieces.append(piece)
                return answer.status_code, b"".join(pieces), answer.headers
        except TimeoutError as error:
            raise BenchFailed(f"vision at {self._url}{path}: no answer within {self._within:g} s") from error
        except httpx.ConnectError as error:
            cure = "cure: start it, or url.vision=ADDRESS of another"
            raise BenchFailed(f"vision: nobody answers at {self._url}; {cure}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = str(error) or type(error).__name__
            raise BenchFailed(f"vision at {self._url}{path}: no HTTP as it should be ({why})") from error


def _words(content: bytes) -> str:
    return repr(content[:120].decode(errors="replace"))
