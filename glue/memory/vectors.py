"""Texts to vectors, over the OpenAI embeddings wire."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import httpx
import numpy as np
from numpy.typing import NDArray

from glue.errors import Refused, TooSlow, Unreachable

PART = "memory"
Vectors = NDArray[np.float32]  # [texts, dimensions]


class Embeddings:
    """A client of one embeddings server."""

    def __init__(self, url: str, model: str, dimensions: int, within: float, key: str) -> None:
        self._model = model
        self._dimensions = dimensions
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.AsyncClient(
            base_url=url, headers=headers, timeout=within, trust_env=False, verify=url.startswith("https")
        )

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Raises Unreachable, Refused, TooSlow."""
        body = {"model": self._model, "input": list(texts), "encoding_format": "base64"}
        try:
            answer = await self._client.post("/v1/embeddings", json=body)
        except httpx.TimeoutException as error:
            raise TooSlow(PART, "the embeddings server does not answer") from error
        except httpx.TransportError as error:
            raise Unreachable(PART, f"embeddings: {type(error).__name__}") from error
        if answer.status_code != httpx.codes.OK:
            why = f"embeddings: HTTP {answer.status_code}: {answer.text[:200]}"
            raise Refused(PART, why, quoted=True)
        try:
            rows = sorted(answer.json()["data"], key=lambda row: int(row["index"]))
            found = np.stack([np.frombuffer(base64.b64decode(row["embedding"]), "<f4") for row in rows])
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(PART, f"embeddings: an answer of another form ({type(error).__name__})") from error
        if found.shape != (len(texts), self._dimensions):
            raise Refused(PART, f"embeddings: {found.shape[-1]} numbers a text, not {self._dimensions}")
        return found.astype(np.float32)

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()
