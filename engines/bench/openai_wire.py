"""A server of the OpenAI wire: which one it is, and one answer of it, timed."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio
import httpx

from engines.bench.dialects import OWNERS, PERSONAS, Asked, Server, body
from engines.bench.errors import BenchFailed
from engines.bench.events import SHOWN, Usage, message, read, split
from engines.bench.options import Dialect

CHAT = "/v1/chat/completions"
LOOK_SECONDS = 5.0  # for a list of models
LARGEST = 8 << 20  # bytes of an answer; no answer that is asked for here has as many


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: seconds to its first and its last text, and tokens."""

    first: float
    last: float
    tokens: int  # as the server counted; pieces of text where it does not
    prompt: int = 0  # 0: the server does not tell
    cached: int = 0

    @property
    def pace(self) -> float | None:
        """Tokens a second after the first; None for less than two."""
        return (self.tokens - 1) / (self.last - self.first) if self.last > self.first else None


def client(server: Server) -> httpx.AsyncClient:
    """A connection of a client's own. Kept ones are not used again: llama.cpp closes them when it likes, and
    the show's adapter opens one a reply, too."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(
        base_url=server.url, headers=server.headers, limits=limits, timeout=None, trust_env=False
    )


async def ask(http: httpx.AsyncClient, server: Server, asked: Asked, within: float) -> Answer:
    """One streamed answer. Raises BenchFailed."""
    content = json.dumps(body(server, asked)).encode()
    headers = {"Content-Type": "application/json"}
    try:
        with anyio.fail_after(within):
            began = time.perf_counter()
            async with http.stream("POST", CHAT, content=content, headers=headers) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise BenchFailed(await _refusal(answer))
                return await _read(answer, began)
    except TimeoutError as error:
        raise BenchFailed(f"llm at {server.url}: no whole answer within {within:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise BenchFailed(_told(server.url, error)) from error
    except BenchFailed as error:
        raise BenchFailed(f"llm at {server.url}: {error}") from error


async def _read(answer: httpx.Response, began: float) -> Answer:
    first = last = 0.0
    pieces = size = 0
    usage: Usage | None = None
    async for line in split(answer.aiter_bytes()):
        size += len(line)
        if size > LARGEST:
            raise BenchFailed("an answer without an end")
        event = read(line)
        if event is None:
            continue
        if event.text:
            last = time.perf_counter() - began
            first, pieces = first or last, pieces + 1
        usage = event.usage or usage
    if not pieces:
        raise BenchFailed("an answer without a word")
    known = usage or Usage()
    return Answer(first, last, known.said or pieces, known.prompt, known.cached)


async def wire(http: httpx.AsyncClient, server: Server) -> float:
    """Seconds of a round trip that computes nothing: the list of models. Raises BenchFailed."""
    began = time.perf_counter()
    await get(http, server.url, "/v1/models")
    return time.perf_counter() - began


async def look(
    url: str, dialect: Dialect, model: str, adapters: Mapping[str, str], headers: Mapping[str, str]
) -> Server:
    """Ask the server what it is. Raises BenchFailed where it is none of this wire."""
    server = Server(url.rstrip("/").removesuffix("/v1"), dialect, model, headers=headers)
    async with client(server) as http:
        listed = _models(server.url, await get(http, server.url, "/v1/models"))
        first = next((each for each in listed if each["id"] == model), listed[0])
        if dialect is Dialect.auto:
            dialect = OWNERS.get(str(first.get("owned_by")), Dialect.none)
        server = dataclasses.replace(
            server, dialect=dialect, model=model or first["id"], adapters=_two(adapters.values())
        )
        if dialect is Dialect.llamacpp:
            return await _llamacpp(http, server, first.get("meta"))
    if dialect is Dialect.vllm and not adapters:  # a LoRA's entry names its base
        server = dataclasses.replace(
            server, adapters=_two(each["id"] for each in listed if each.get("parent"))
        )
    return server


async def _llamacpp(http: httpx.AsyncClient, server: Server, meta: object) -> Server:
    """Slots, adapters in the order in which it loaded them, and the size of its tensors."""
    facts = meta if isinstance(meta, dict) else {}
    slots = loaded = None
    try:
        props = await get(http, server.url, "/props")
        slots = props.get("total_slots") if isinstance(props, dict) else None
        loaded = await get(http, server.url, "/lora-adapters")
    except BenchFailed:
        pass  # behind a proxy that passes on only the OpenAI wire
    paths = [str(each.get("path")) for each in _entries(loaded)]
    return dataclasses.replace(
        server,
        slots=slots if isinstance(slots, int) and 0 < slots < 1024 else 0,
        adapters=_two(paths),
        weights=_number(facts.get("size")),
        parameters=_number(facts.get("n_params")),
    )


async def get(http: httpx.AsyncClient, url: str, path: str) -> Any:
    """JSON of a GET. Raises BenchFailed."""
    try:
        with anyio.fail_after(LOOK_SECONDS):
            async with http.stream("GET", path) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise BenchFailed(await _refusal(answer))
                content = await _content(answer)
        return json.loads(content)
    except TimeoutError as error:
        raise BenchFailed(f"llm at {url}{path}: no answer within {LOOK_SECONDS:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise BenchFailed(_told(url, error)) from error
    except (ValueError, RecursionError) as error:
        raise BenchFailed(f"llm at {url}{path}: not JSON, so no server of the OpenAI wire") from error
    except BenchFailed as error:
        raise BenchFailed(f"llm at {url}{path}: {error}") from error


def _models(url: str, answer: object) -> list[dict[str, Any]]:
    listed = answer.get("data") if isinstance(answer, dict) else None
    found = [each for each in _entries(listed) if "id" in each]
    if not found:
        raise BenchFailed(f"llm at {url}: /v1/models lists no model; is it a server of the OpenAI wire?")
    return [{**each, "id": str(each["id"])} for each in found]


async def _content(answer: httpx.Response) -> bytes:
    content = b""
    async for piece in answer.aiter_bytes():
        content += piece
        if len(content) > LARGEST:
            raise BenchFailed("an answer without an end")
    return content


async def _refusal(answer: httpx.Response) -> str:
    content = await _content(answer)
    try:
        words = message(json.loads(content))
    except (ValueError, RecursionError):
        words = repr(content[:SHOWN].decode(errors="replace"))
    cure = "; cure: key_from=VARIABLE" if answer.status_code in (401, 403) else ""
    return f"HTTP {answer.status_code}: {words}{cure}"


def _told(url: str, error: Exception) -> str:
    if isinstance(error, httpx.ConnectError):
        return f"llm: nobody answers at {url}; cure: start it, or url=ADDRESS of another"
    return f"llm at {url}: no HTTP as it should be ({str(error) or type(error).__name__})"


def _two(found: Any) -> tuple[str, ...]:
    listed = tuple(found)[:PERSONAS]
    return listed if len(listed) == PERSONAS else ()


def _entries(found: object) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _number(value: object) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e15
    return float(value) if good else 0.0  # type: ignore[arg-type]  # a number, as was asked
