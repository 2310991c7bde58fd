"""DECISION -> TEXT: the `Llm` port over the OpenAI wire (HTTP + server-sent events).

One adapter for llama.cpp's server, trtllm-serve and vLLM; dialect.py says what each is sent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import Any

import anyio
import httpx

from glue.closing import closing
from glue.errors import Refused, TooSlow, Unreachable
from glue.mind.dialect import COMPLETIONS, PART, Extensions, Request, Server
from glue.mind.lane import Lane
from glue.mind.template import Template
from glue.ports import Message, Prompt, Role, Usage
from glue.sse import BadChunk, Chunk, read, split

__all__ = ["Extensions", "OpenAiLlm"]

# tokens of a reply: six seconds of speech, which outlast a decision that is written beside the rest
AHEAD = 24
WORTH_KEEPING = 100  # tokens; loading 30 MB takes 20 ms, evaluating 100 tokens a second
# The field of a request to /tokenize that takes the text, where the server has it; both answer with `tokens`.
TOKENIZE = {Extensions.LLAMACPP: "content", Extensions.VLLM: "prompt"}


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
        adapters: Mapping[str, str] | None = None,
        template: Template = Template.NONE,
    ) -> None:
        """`models`: the model's name for each character ("default" for the rest), `slots`, `adapters`: slot
        numbers and LoRA paths likewise, "background" for that lane; `template`: of prompts that we render
        ourselves; `key`: of a server that wants one."""
        self._url = url
        self._server = Server(extensions, models, slots, adapters or {}, template)
        self._first = first_token_s
        self._stall = stall_s
        self._key = key
        self._lane = Lane()  # of background work: free while nobody writes, be it a reply or a decision
        self._acting = Lane()  # of decisions in games: free while no reply's first words are written
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

    @property
    def continues(self) -> bool:
        """Whether a prompt may have an opening; stream() is Refused where it may not."""
        return self._server.continues

    async def stream(self, prompt: Prompt, role: Role = Role.SPEECH) -> AsyncIterator[str | Usage]:
        """Yield text, then one Usage (first, where the server tells early). See ports.Llm.

        A SPEECH request stops what the background lane has in work. A BACKGROUND one waits in that lane,
        starts again whenever it had to give way, and yields its text in one piece. So does an ACT request, in
        a lane of its own, free again when the reply is AHEAD of the voice; URGENT ones never wait."""
        request = await self._request(prompt, role)
        if role is Role.BACKGROUND:
            for piece in await self._lane.run(lambda: self._whole(request)):
                yield piece
            return
        if role is not Role.SPEECH:
            urgent = role is Role.URGENT
            decided = self._decided(request) if urgent else self._acting.run(lambda: self._decided(request))
            for piece in await decided:
                yield piece
            return
        written = 0
        with self._lane.speaking(), ExitStack() as hurry:
            hurry.enter_context(self._acting.speaking())
            async with closing(self._pieces(request)) as pieces:
                async for piece in pieces:
                    written += isinstance(piece, str)
                    if written == AHEAD:
                        hurry.close()
                    yield piece

    async def _decided(self, request: Request) -> tuple[str, Usage]:
        with self._lane.speaking():
            return await self._whole(request)

    async def _pieces(self, request: Request) -> AsyncIterator[str | Usage]:
        usage: Usage | None = None
        async with self._events(request) as chunks:
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

    async def _whole(self, request: Request) -> tuple[str, Usage]:
        text, usage = "", Usage(0, 0, 0)
        async with closing(self._pieces(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Usage):
                    usage = piece
                else:
                    text += piece
        return text, usage

    async def warm(self, prompt: Prompt) -> int:
        """Prefill `prompt`; the tokens that had to be evaluated. Background work and decisions give way to it
        too: the next reply waits for what is not prefilled while she speaks."""
        request = self._server.request(prompt, Role.SPEECH)
        request.body["max_tokens"] = 1
        total, cached = 0, 0
        with self.still():
            async with self._events(request) as chunks:
                async for chunk in chunks:
                    if chunk.usage is not None:
                        total, cached = chunk.usage.prompt_tokens, chunk.usage.cached_tokens
        return total - cached

    @contextmanager
    def still(self) -> Iterator[None]:
        """The Llm port."""
        with self._lane.speaking(), self._acting.speaking():
            yield

    async def settle(self, prompt: Prompt) -> int:
        """As warm(), at a start: what llama.cpp kept of an earlier one is loaded, not evaluated."""
        if self._server.extensions is not Extensions.LLAMACPP:
            return await self.warm(prompt)
        slot, file = self._server.slots.get(prompt.who, 0), {"filename": await self._prefix_name(prompt)}
        if self._server.adapters:
            await self._know_adapters()
            # a slot that changes its adapter drops its prefix, so it gets hers before the prefix is loaded
            await self.warm(Prompt(prompt.who, (Message("user", ""),)))
        with suppress(Refused):  # none was kept, or the server keeps none
            await self._ask(f"/slots/{slot}?action=restore", file)
        evaluated = await self.warm(prompt)
        if evaluated > WORTH_KEEPING:
            with suppress(Refused):
                await self._ask(f"/slots/{slot}?action=save", file)
        return evaluated

    async def _know_adapters(self) -> None:
        """Requests name adapters by number: raises Refused where the server's order is not the config's."""
        ours = self._server.loaded()
        listed = await self._ask("/lora-adapters", None)
        theirs = [each.get("path") for each in listed] if isinstance(listed, list) else []
        if theirs != ours:
            raise Refused(PART, f"the server's adapters are {theirs}, not {ours}; cure: llm.adapter.adapters")

    async def _prefix_name(self, prompt: Prompt) -> str:
        """A name for what these messages become in this very model."""
        answer = await self._ask("/v1/models", None)
        listed = answer.get("data") if isinstance(answer, dict) else None
        models = [(m.get("id"), m.get("meta")) for m in listed] if isinstance(listed, list) else []
        said = [(m.role, m.content) for m in prompt.messages]
        adapter = [who == prompt.who for who in self._server.adapters]
        known = json.dumps([models, said, *adapter], default=str)
        return f"{hashlib.sha256(known.encode()).hexdigest()[:24]}.kv"

    async def count(self, text: str) -> int:
        """Tokens of `text`; 0 where the server cannot say."""
        field = TOKENIZE.get(self._server.extensions)
        if field is None:
            return 0
        answer = await self._ask("/tokenize", {"model": self._server.model(""), field: text})
        tokens = answer.get("tokens") if isinstance(answer, dict) else None
        return len(tokens) if isinstance(tokens, list) else 0

    async def read(self, ids: Sequence[int]) -> str:
        """The text that these tokens are in this server's vocabulary; "" where it cannot say, or could not
        go on behind tokens."""
        if self._server.extensions is not Extensions.LLAMACPP:
            return ""
        answer = await self._ask("/detokenize", {"tokens": list(ids)})
        return str(answer.get("content", "")) if isinstance(answer, dict) else ""

    async def _request(self, prompt: Prompt, role: Role) -> Request:
        """Where the opening's tokens are known, they stand behind the prompt as this server lays it out."""
        if prompt.opening_ids:
            asked = self._server.request(replace(prompt, opening=""), role)
            with suppress(Refused):
                answer = await self._ask("/apply-template", {"messages": asked.body.pop("messages")})
                if isinstance(answer, dict) and (rendered := answer.get("prompt")):
                    return Request(COMPLETIONS, asked.body | {"prompt": [rendered, *prompt.opening_ids]})
        return self._server.request(prompt, role)

    @asynccontextmanager
    async def _events(self, asked: Request) -> AsyncIterator[AsyncIterator[Chunk]]:
        """One streamed request; leaving the block closes its connection, which stops the server's work."""
        try:
            with _within(self._first, "no answer"):
                request = self._http().build_request("POST", asked.path, json=asked.body)
                response = await self._http().send(request, stream=True)
        except httpx.TransportError as error:
            raise Unreachable(PART, type(error).__name__) from error
        try:
            if response.status_code != httpx.codes.OK:
                with _within(self._stall, "an error without an end"):
                    raise Refused(PART, _said(response.status_code, await response.aread()), quoted=True)
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
            raise Refused(PART, str(error), quoted=True) from error
        finally:
            await rows.aclose()

    async def _ask(self, path: str, body: Mapping[str, Any] | None) -> object:
        try:
            with _within(self._stall, f"no answer to {path}"):
                response = await self._http().request("GET" if body is None else "POST", path, json=body)
        except httpx.TransportError as error:
            raise Unreachable(PART, type(error).__name__) from error
        try:
            answer: object = response.json()
        except ValueError as error:
            raise Refused(PART, _said(response.status_code, response.content), quoted=True) from error
        if response.status_code != httpx.codes.OK:
            raise Refused(PART, _said(response.status_code, response.content), quoted=True)
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
    """The server's own words of an error, cut short: {"error": {"message": ...}}, {"error": ...}, or
    trtllm-serve's {"object": "error", "message": ...}."""
    try:
        answer = json.loads(body)
        error = answer.get("error", answer)
        text = str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        text = body[:200].decode("utf-8", "replace")
    return f"HTTP {status}: {text[:200]}"
