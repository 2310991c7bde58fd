"""Her eyes' server: the Vision port on the Triton wire (KServe v2 over gRPC).

Every list comes with `count`: how many of its rows are meant (engines/vision cannot send an empty one).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferInput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from glue.errors import Refused, TooSlow, Unreachable
from glue.senses.sight import Danger, Picture, Sight

SURE = 0.35  # of a thing's score
CHANNEL = [
    ("grpc.enable_http_proxy", 0),  # of the environment: it is for the internet
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),  # a restarted server is found within seconds
    ("grpc.use_local_subchannel_pool", 1),
]
CLASS = re.compile(r"^[A-Za-z_][\w.]*: ")  # of a Python exception
Tensor = NDArray[Any]


class TritonVision:
    """`models`: of guard and text, those to ask; `detect`, `caption`: empty where the server has none."""

    def __init__(
        self,
        address: str = "127.0.0.1:8026",
        models: Sequence[str] = ("guard", "text"),
        detect: str = "",
        caption: str = "",
        timeout_s: float = 10.0,
        unsafe: float = 0.35,
    ) -> None:
        """`unsafe`: the guard's score from which on a picture is dropped; without the guard none is."""
        self._address = address
        self._models = {*models, *(["detect"] if detect else []), *(["caption"] if caption else [])}
        self._timeout = timeout_s
        self._unsafe = unsafe
        self._client: InferenceServerClient

    async def __aenter__(self) -> Self:
        """No question is asked yet: a server that is away is the watcher's business."""
        self._client = InferenceServerClient(self._address, channel_args=CHANNEL)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.close()

    async def judge(self, picture: Picture) -> Danger:
        """The Vision port."""
        if "guard" not in self._models:
            return Danger(0.0, "", unsafe=False)
        answer = await self._ask("guard", picture, "unsafe", "count", "scores", "labels")
        score = float(_one(answer, "unsafe"))
        if not 0.0 <= score <= 1.0:
            raise Refused("vision", f"the guard's score is {score}")
        rows = _rows(answer, "scores", "labels")
        what = next((_text(label) for of, label in rows if float(of) == score), "") if score else ""
        return Danger(score, what, unsafe=score >= self._unsafe)

    async def look(self, picture: Picture) -> Sight:
        """The Vision port."""
        texts: tuple[str, ...] = ()
        things: tuple[str, ...] = ()
        caption = ""
        if "text" in self._models:
            answer = await self._ask("text", picture, "count", "texts")
            texts = tuple(_text(text) for (text,) in _rows(answer, "texts"))
        if "detect" in self._models:
            answer = await self._ask("detect", picture, "count", "scores", "labels")
            things = tuple(
                _text(label) for score, label in _rows(answer, "scores", "labels") if score >= SURE
            )
        if "caption" in self._models:
            answer = await self._ask("caption", picture, "text")
            caption = _text(_one(answer, "text"))
        return Sight(texts, things, caption)

    async def _ask(self, model: str, picture: Picture, *names: str) -> dict[str, Tensor]:
        """The named tensors of a model's answer. Raises Unreachable, Refused, TooSlow."""
        image = InferInput("image", list(picture.shape), "UINT8")
        image.set_data_from_numpy(np.ascontiguousarray(picture))
        try:
            answer = await self._client.infer(model, [image], client_timeout=self._timeout)
            found = {name: answer.as_numpy(name) for name in names}
        except InferenceServerException as error:
            raise self._told(model, error) from error
        except (ValueError, TypeError, IndexError, struct.error) as error:  # bytes that are no tensor
            raise Refused("vision", f"{model} answered with broken tensors ({error})") from error
        missing = [name for name, tensor in found.items() if tensor is None or not tensor.size]
        if missing:
            raise Refused("vision", f"{model} answered without '{missing[0]}'")
        return found

    def _told(self, model: str, error: InferenceServerException) -> Unreachable | Refused | TooSlow:
        status = str(error.status() or "")
        if "DEADLINE_EXCEEDED" in status:
            return TooSlow("vision", f"{model} did not answer within {self._timeout:g} s")
        if "UNAVAILABLE" in status or "CANCELLED" in status:
            return Unreachable("vision", f"no server at {self._address}")
        return Refused("vision", f"{model}: {reason(error.message() or status)}")


def reason(message: str) -> str:
    """The words in an error of PyTriton's, which sends a traceback: its last line that says something."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    said = [line for line in lines if ": " in line and not line.startswith(("File ", "/", "At"))]
    return CLASS.sub("", (said or lines or ["no reason given"])[-1])[:300]


def _one(answer: dict[str, Tensor], name: str) -> Any:
    return answer[name].reshape(-1)[0]


def _rows(answer: dict[str, Tensor], *names: str) -> list[tuple[Any, ...]]:
    """The rows that are meant, of columns that belong together. Raises Refused."""
    count = int(_one(answer, "count"))
    columns = [answer[name] for name in names]
    if count < 0 or any(column.ndim != 1 or len(column) < count for column in columns):
        raise Refused("vision", f"the answer says {count} rows and has {[list(c.shape) for c in columns]}")
    return list(zip(*(column[:count] for column in columns), strict=True))


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
