"""DECISION -> TEXT: the `Llm` port over the OpenAI wire (HTTP + server-sent events).

One adapter for llama.cpp's server and for trtllm-serve: what only the first has is sent only to it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from enum import StrEnum
from typing import Any

import anyio
import httpx

from glue.closing import closing
from glue.errors import Refused, TooSlow, Unreachable
from glue.mind.lane import Lane
from glue.mind.sse import BadChunk, Chunk, read, split
from glue.ports import Prompt, Role, Usage

PART = "llm"
WORTH_KEEPING = 100  # tokens; loading 30 MB takes 20 ms, evaluating 100 tokens a second


class Extensions(StrEnum):
    """What the server understands beyond OpenAI's own."""

    LLAMACPP = "llamacpp"  # slots, prefill progress, tokenize
    NONE = "none"


class OpenAiLlm:
    """Streams replies; `slots` gives each character a slot of her own, so that each keeps her prefix."""

    def __init__(
        self,
        url: str,
        models: Mapping[str, str],
        slots: Mapping[str, int],
        extensions: Extensions = Extensions.LLAMACPP,
        first_token_s: float = 15.0,
        stall_s: float = 8.0,
        key: str = "",
    ) -> None:
        """`models`: the model's name for each character ("default" for the rest, e.g. with an adapter);
        `slots`: slot numbers likewise, "background" for that lane; `key`: of a server that wants one."""
        self._url = url
        self._models = models
        self._slots = slots
        self._extensions = extensions
        self._first = first_token_s
        self._stall = stall_s
        self._key = key
        self._lane = Lane()
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> OpenAiLlm:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        # llama.cpp's server closes a kept connection when it likes, sometimes under the next request ("Server
        # disconnected without sending a response"); a new one costs 0.3 ms on loopback, and a reply ends its
        # own by closing it anyhow.
        limits = httpx.Limits(max_connections=16, max_keepalive_connections=0)
        self._client = httpx.AsyncClient(
            base_url=self._url, headers=headers, limits=limits, timeout=None, trust_env=False
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def stream(self, prompt: Prompt, role: Role = Role.SPEECH) -> AsyncIterator[str | Usage]:
        """Yield text, then one Usage (first, where the server tells early). See ports.Llm.

        A SPEECH request stops what the background lane has in work. A BACKGROUND one waits in that lane,
        starts again whenever it had to give way, and yields its text in one piece."""
        body = self._body(prompt, role)
        if role is Role.BACKGROUND:
            for piece in await self._lane.run(lambda: self._whole(body)):
                yield piece
            return
        with self._lane.speaking():
            async with closing(self._pieces(body)) as pieces:
                async for piece in pieces:
                    yield piece

    async def _pieces(self, body: Mapping[str, Any]) -> AsyncIterator[str | Usage]:
        usage: Usage | None = None
        async with self._events(body) as chunks:
            async for chunk in chunks:
                if chunk.usage is not None:
                    usage = chunk.usage
                elif chunk.progress is not None and usage is None:
                    usage = Usage(*chunk.progress, 0)
                    yield usage  # a reply that is cut off never sees the counts at its end
                if chunk.text:
                    yield chunk.text
        if usage is not None:
            yield usage

    async def _whole(self, body: Mapping[str, Any]) -> tuple[str, Usage]:
        text, usage = "", Usage(0, 0, 0)
        async with closing(self._pieces(body)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Usage):
                    usage = piece
                else:
                    text += piece
        return text, usage

    async def warm(self, prompt: Prompt) -> int:
        """Prefill `prompt`; the tokens that had to be evaluated."""
        body = self._body(prompt, Role.SPEECH) | {"max_tokens": 1}
        total, cached = 0, 0
        async with self._events(body) as chunks:
            async for chunk in chunks:
                if chunk.usage is not None:
                    total, cached = chunk.usage.prompt_tokens, chunk.usage.cached_tokens
        return total - cached

    async def settle(self, prompt: Prompt) -> int:
        """As warm(), at a start: what llama.cpp kept of an earlier one is loaded, not evaluated."""
        if self._extensions is Extensions.NONE:
            return await self.warm(prompt)
        slot, file = self._slots.get(prompt.who, 0), {"filename": await self._prefix_name(prompt)}
        with suppress(Refused):  # none was kept, or the server keeps none
            await self._ask(f"/slots/{slot}?action=restore", file)
        evaluated = await self.warm(prompt)
        if evaluated > WORTH_KEEPING:
            with suppress(Refused):
                await self._ask(f"/slots/{slot}?action=save", file)
        return evaluated

    async def _prefix_name(self, prompt: Prompt) -> str:
        """A name for what these messages become in this very model."""
        listed = (await self._ask("/v1/models", None)).get("data")
        models = [(m.get("id"), m.get("meta")) for m in listed] if isinstance(listed, list) else []
        known = json.dumps([models, [(m.role, m.content) for m in prompt.messages]], default=str)
        return f"{hashlib.sha256(known.encode()).hexdigest()[:24]}.kv"

    async def count(self, text: str) -> int:
        """Tokens of `text`; 0 where the server cannot say."""
        if self._extensions is Extensions.NONE:
            return 0
        answer = await self._ask("/tokenize", {"content": text})
        tokens = answer.get("tokens")
        return len(tokens) if isinstance(tokens, list) else 0

    def _body(self, prompt: Prompt, role: Role) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._models.get(prompt.who, self._models.get("default", "default")),
            "messages": [{"role": m.role, "content": m.content} for m in prompt.messages],
            "max_tokens": prompt.max_tokens,
            "temperature": prompt.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
            **prompt.sampling,
        }
        if prompt.stop:
            body["stop"] = list(prompt.stop)
        if prompt.seed is not None:
            body["seed"] = prompt.seed
        if self._extensions is Extensions.LLAMACPP:
            who = prompt.who if role is Role.SPEECH else "background"
            body |= {"id_slot": self._slots.get(who, 0), "cache_prompt": True, "return_progress": True}
        return body

    @asynccontextmanager
    async def _events(self, body: Mapping[str, Any]) -> AsyncIterator[AsyncIterator[Chunk]]:
        """One streamed request; leaving the block closes its connection, which stops the server's work."""
        try:
            with _within(self._first, "no answer"):
                request = self._http().build_request("POST", "/v1/chat/completions", json=body)
                response = await self._http().send(request, stream=True)
        except httpx.TransportError as error:
            raise Unreachable(PART, type(error).__name__) from error
        try:
            if response.status_code != httpx.codes.OK:
                with _within(self._stall, "an error without an end"):
                    raise Refused(PART, _said(response.status_code, await response.aread()))
            yield self._chunks(response)
        except httpx.TransportError as error:
            raise Unreachable(PART, type(error).__name__) from error
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(0.2):
                await response.aclose()

    async def _chunks(self, response: httpx.Response) -> AsyncIterator[Chunk]:
        rows = split(response.aiter_raw())
        patience, began = self._first, False
        try:
            while True:
                with _within(patience, "it stalled" if began else "no first token"):
                    row = await anext(rows, None)
                if row is None:
                    return
                chunk = read(row)
                if chunk is not None:
                    if chunk.text:
                        patience, began = self._stall, True
                    yield chunk
        except (BadChunk, UnicodeDecodeError) as error:
            raise Refused(PART, str(error)) from error
        finally:
            await rows.aclose()

    async def _ask(self, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        try:
            with _within(self._stall, f"no answer to {path}"):
                response = await self._http().request("GET" if body is None else "POST", path, json=body)
        except httpx.TransportError as error:
            raise Unreachable(PART, type(error).__name__) from error
        try:
            answer = response.json()
        except ValueError as error:
            raise Refused(PART, _said(response.status_code, response.content)) from error
        if response.status_code != httpx.codes.OK or not isinstance(answer, dict):
            raise Refused(PART, _said(response.status_code, response.content))
        return answer

    def _http(self) -> httpx.AsyncClient:
        assert self._client is not None, "used outside its `async with`"
        return self._client


@contextmanager
def _within(seconds: float, why: str) -> Iterator[None]:
    """Around one await. Raises TooSlow."""
    try:
        with anyio.fail_after(seconds):
            yield
    except TimeoutError as error:
        raise TooSlow(PART, f"{why} within {seconds:g} s") from error


def _said(status: int, body: bytes) -> str:
    """The server's own words of an error, cut short."""
    try:
        error = json.loads(body)["error"]
        text = str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError, RecursionError):
        text = body[:200].decode("utf-8", "replace")
    return f"HTTP {status}: {text[:200]}"
