"""A peer that behaves as trtllm-serve's documents and sources say, down to what it refuses; no GPU, no model.

`python -m tests.wires.trtllm_peer PORT ADAPTER_FOLDER...`; FOLDER:OUTSIDE for one that is mounted. It says
which adapter it used and counts words, and tells at /asked (which the real one has not) what it was asked, so
that a test sees it; a token takes PACE seconds. Sources: TensorRT-LLM's docs for trtllm-serve and its
openai_protocol (fields, `extra="forbid"`), the server's own error and metrics shapes.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import uvicorn
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

PACE = 0.002  # seconds a token
BLOCK = 32  # tokens that are reused from the cache as one
LOOKS = 1.0  # seconds between two looks at whether the client is still there
TOKEN = re.compile(r"<\|\w+\|>| ?\w+|\s+|[^\w\s]")
ASSISTANT = "<|start_header_id|>assistant<|end_header_id|>\n\n"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Adapter(Strict):
    lora_name: str
    lora_int_id: int = Field(gt=0)
    lora_path: str = ""


class StreamOptions(Strict):
    include_usage: bool = True
    continuous_usage_stats: bool = False


class Schema(Strict):
    name: str
    described: dict[str, Any] = Field(alias="schema")
    description: str | None = None
    strict: bool | None = None


class Format(Strict):
    """What an answer must follow, in the form that the documents give."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: Schema | None = None

    @model_validator(mode="after")
    def a_schema_is_there_when_it_is_named(self) -> Format:
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise ValueError("The json_schema field goes with response_format.type == 'json_schema'.")
        return self


class Asked(Strict):
    """The fields that both endpoints share, those among them that a client of ours may want."""

    model: str
    max_tokens: int = 16
    n: int = 1
    temperature: float | None = None
    top_p: float | None = None
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    presence_penalty: float | None = 0.0
    frequency_penalty: float | None = 0.0
    seed: int | None = None
    stop: str | list[str] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    response_format: Format | None = None
    lora_request: Adapter | None = None
    add_special_tokens: bool = True

    @model_validator(mode="after")
    def options_need_a_stream(self) -> Asked:
        if self.stream_options and not self.stream:
            raise ValueError("Stream options can only be defined when stream is true.")
        return self


class Message(Strict):
    role: Literal["system", "user", "assistant", "tool"]
    content: str


class Chat(Asked):
    messages: list[Message]
    add_generation_prompt: bool = True
    add_special_tokens: bool = False

    def text(self) -> str:
        head = "" if self.messages[0].role == "system" else "<|start_header_id|>system<|end_header_id|>\n\n"
        turns = [
            f"<|start_header_id|>{m.role}<|end_header_id|>\n\n{m.content.strip()}<|eot_id|>"
            for m in self.messages
        ]
        return "<|begin_of_text|>" + head + "".join(turns) + (ASSISTANT if self.add_generation_prompt else "")


class Completion(Asked):
    prompt: str

    def text(self) -> str:
        return ("<|begin_of_text|>" if self.add_special_tokens else "") + self.prompt


class Unheeding(StreamingResponse):
    """A stream that goes on when nobody listens: only the generation itself looks up, now and then."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.stream_response(send)


class Peer:
    """What the server remembers: adapters by number, blocks by adapter, and who is being answered."""

    def __init__(self, folders: list[str]) -> None:
        self._folders = {each.partition(":")[0]: each.rpartition(":")[2] for each in folders}
        self._asked: list[dict[str, object]] = []
        self._numbers: dict[int, Adapter] = {}
        self._blocks: set[tuple[int, str]] = set()
        self._active = 0

    async def chat(self, request: Request) -> Response:
        return await self._answer(request, Chat)

    async def completions(self, request: Request) -> Response:
        return await self._answer(request, Completion)

    async def health(self, request: Request) -> Response:
        return Response()

    async def models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": "peer", "object": "model"}]})

    async def metrics(self, request: Request) -> Response:
        """Iteration statistics: a JSON list, not Prometheus' text."""
        return JSONResponse([{"iter": 1, "numActiveRequests": self._active}])

    async def asked(self, request: Request) -> Response:
        return JSONResponse(self._asked)

    async def _answer(self, request: Request, kind: type[Chat] | type[Completion]) -> Response:
        try:
            asked = kind.model_validate_json(await request.body())
            self._load(asked.lora_request)
        except (ValidationError, ValueError) as error:
            said = {"object": "error", "message": str(error), "type": "BadRequestError", "code": 400}
            return JSONResponse(said, status_code=400)
        adapter = asked.lora_request
        self._asked.append(
            {
                "adapter": adapter.lora_path if adapter else "",
                "prompt": asked.text(),
                "tokens": asked.max_tokens,
            }
        )
        prompt = TOKEN.findall(asked.text())
        usage = {
            "prompt_tokens": len(prompt),
            "prompt_tokens_details": {"cached_tokens": self._cached(prompt, adapter)},
        }
        words = [f" {adapter.lora_name if adapter else 'base'}", *(f" {n}" for n in range(asked.max_tokens))]
        words = words[: asked.max_tokens]
        usage |= {"completion_tokens": len(words), "total_tokens": len(prompt) + len(words)}
        if asked.stream:
            with_usage = asked.stream_options is not None and asked.stream_options.include_usage
            stream = self._stream(request, kind is Chat, words, usage if with_usage else None)
            return Unheeding(stream, media_type="text/event-stream")
        return JSONResponse(_event(kind is Chat, "".join(words), "message") | {"usage": usage})

    def _load(self, adapter: Adapter | None) -> None:
        """Raises ValueError for a path that is not here, and where one number stands for two adapters: the
        real server would go on with the first."""
        if adapter is None:
            return
        if adapter.lora_path not in self._folders or not Path(self._folders[adapter.lora_path]).is_dir():
            raise ValueError(f"lora_path ({adapter.lora_path}) does not exist.")
        if self._numbers.setdefault(adapter.lora_int_id, adapter) != adapter:
            raise ValueError(f"lora_int_id {adapter.lora_int_id} is another adapter's")
        if sum(known.lora_path == adapter.lora_path for known in self._numbers.values()) > 1:
            raise ValueError(f"{adapter.lora_path} has two numbers: it would be loaded twice")

    def _cached(self, prompt: list[str], adapter: Adapter | None) -> int:
        """Tokens that whole blocks of earlier prompts cover, by adapter; this prompt's are then kept too."""
        number = adapter.lora_int_id if adapter else 0
        keys = [(number, "".join(prompt[:end])) for end in range(BLOCK, len(prompt) + 1, BLOCK)]
        known = [key in self._blocks for key in keys]
        self._blocks.update(keys)
        return BLOCK * ([*known, False].index(False))

    async def _stream(
        self, request: Request, chat: bool, words: list[str], usage: dict[str, Any] | None
    ) -> AsyncIterator[str]:
        self._active += 1
        looked = asyncio.get_running_loop().time()
        try:
            for word in words:
                await asyncio.sleep(PACE)
                yield f"data: {json.dumps(_event(chat, word, 'delta'))}\n\n"
                if asyncio.get_running_loop().time() - looked > LOOKS:
                    looked = asyncio.get_running_loop().time()
                    if await request.is_disconnected():
                        return
            if usage is not None:
                yield f"data: {json.dumps(_event(chat) | {'usage': usage})}\n\n"
            yield "data: [DONE]\n\n"
        finally:
            self._active -= 1


def _event(chat: bool, text: str | None = None, field: str = "") -> dict[str, Any]:
    """A chunk, or a whole answer."""
    choice: dict[str, Any] = {"index": 0, "finish_reason": None}
    choice |= {field: {"role": "assistant", "content": text}} if chat else {"text": text}
    kind = ("chat.completion.chunk" if field == "delta" else "chat.completion") if chat else "text_completion"
    choices = [] if text is None else [choice]
    return {"id": "peer-1", "object": kind, "created": 0, "model": "peer", "choices": choices}


def application(folders: list[str]) -> Starlette:
    """The endpoints."""
    peer = Peer(folders)
    return Starlette(
        routes=[
            Route("/health", peer.health),
            Route("/v1/models", peer.models),
            Route("/metrics", peer.metrics),
            Route("/asked", peer.asked),
            Route("/v1/chat/completions", peer.chat, methods=["POST"]),
            Route("/v1/completions", peer.completions, methods=["POST"]),
        ]
    )


if __name__ == "__main__":
    uvicorn.run(application(sys.argv[2:]), port=int(sys.argv[1]), log_level="warning")
