"""The OpenAI embeddings wire: POST /v1/embeddings, GET /v1/models."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from engines.embeddings.minilm import MiniLm, Vectors
from engines.embeddings.options import Options
from engines.page import Guard, programs_only

MOST_BYTES = 8_000_000  # of a request


class Wrong(Exception):
    """A request that cannot be answered: `param` names its field."""

    def __init__(self, why: str, param: str = "") -> None:
        super().__init__(why)
        self.param = param


def application(options: Options, model: MiniLm) -> ASGIApp:
    """The routes, behind the guard. One inference at a time, in a thread, first come first served."""
    one = asyncio.Lock()

    async def embeddings(request: Request) -> JSONResponse:
        try:
            texts, encoding = asked(await _body(request), options.most_texts)
        except Wrong as error:
            return _refusal(str(error), error.param)
        async with one:
            vectors, tokens = await asyncio.to_thread(model.embed, texts)
        data = [
            {"object": "embedding", "index": i, "embedding": _encoded(vector, encoding)}
            for i, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return JSONResponse({"object": "list", "data": data, "model": options.model, "usage": usage})

    async def models(request: Request) -> JSONResponse:
        entry = {"id": options.model, "object": "model", "created": 0, "owned_by": "local"}
        return JSONResponse({"object": "list", "data": [entry]})

    routes = [Route("/v1/embeddings", embeddings, methods=["POST"]), Route("/v1/models", models)]
    return Guard(Starlette(routes=routes), programs_only, "default-src 'none'")


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise Wrong(f"a request may have {MOST_BYTES} bytes")
    return body


def asked(body: bytes, most: int) -> tuple[list[str], str]:
    """A request's texts and the encoding that it wants ("float" or "base64"). Raises Wrong."""
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Wrong("the request is not JSON") from error
    if not isinstance(said, dict):
        raise Wrong("the request is not a JSON object")
    given = said.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise Wrong("'input' must be a text or a list of texts, none of them empty", "input")
    if len(texts) > most:
        raise Wrong(f"'input' may hold {most} texts, not {len(texts)}", "input")
    encoding = said.get("encoding_format") or "float"
    if encoding not in ("float", "base64"):
        raise Wrong("'encoding_format' must be float or base64", "encoding_format")
    return texts, encoding


def _encoded(vector: Vectors, encoding: str) -> object:
    if encoding == "base64":  # little-endian float32, as OpenAI's client asks for by itself
        return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
    return [round(float(value), 7) for value in vector]


def _refusal(why: str, param: str) -> JSONResponse:
    error = {"message": why, "type": "invalid_request_error", "param": param or None, "code": None}
    return JSONResponse({"error": error}, status_code=400)
