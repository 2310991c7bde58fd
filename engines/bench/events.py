"""The OpenAI wire's stream, line by line: the text and the token counts that a `data:` line carries."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from engines.bench.errors import BenchFailed

LONGEST = 1 << 20  # bytes of a line
SHOWN = 120  # characters of what came, in an error


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, as the server counted them."""

    prompt: int = 0
    cached: int = 0
    said: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One event: `text` may be of an answer or of the thoughts before it."""

    text: str = ""
    usage: Usage | None = None


def read(line: str) -> Event | None:
    """A line of the stream; None for what carries nothing. Raises BenchFailed."""
    if not line or line.startswith((":", "event:", "id:", "retry:")):
        return None
    if line.startswith("error:"):  # llama.cpp's own way to fail in mid-stream
        raise BenchFailed(f"the answer broke off: {line[6:].strip()[:SHOWN]}")
    if not line.startswith("data:"):
        raise BenchFailed(f"not an event stream: {line[:SHOWN]!r}")
    body = line[5:].strip()
    if body == "[DONE]":
        return None
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BenchFailed(f"not JSON: {body[:SHOWN]!r}") from error
    if not isinstance(data, dict):
        raise BenchFailed(f"not of the OpenAI wire: {body[:SHOWN]!r}")
    if data.get("error"):
        raise BenchFailed(f"the answer broke off: {message(data)}")
    return Event(_text(data), _usage(data.get("usage")))


async def split(raw: AsyncIterator[bytes]) -> AsyncGenerator[str, None]:
    """A body's lines, whatever pieces it comes in. Raises BenchFailed for an endless one."""
    rest = b""
    async for piece in raw:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.rstrip(b"\r").decode(errors="replace")
        if len(rest) > LONGEST:
            raise BenchFailed("not an event stream: a line without an end")
    if rest.strip():
        yield rest.decode(errors="replace")


def message(data: object) -> str:
    """The words in an error of one of these servers, on one line."""
    found = data.get("error", data) if isinstance(data, dict) else data
    found = found.get("message", found) if isinstance(found, dict) else found
    return " ".join(str(found).split())[:SHOWN]


def _text(data: Mapping[str, Any]) -> str:
    choices = data.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict):
        return ""
    delta = first.get("delta")
    found = delta if isinstance(delta, dict) else first
    for name in ("content", "text", "reasoning_content", "reasoning"):
        if isinstance(found.get(name), str) and found[name]:
            return str(found[name])
    return ""


def _usage(usage: object) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    return Usage(_count(usage.get("prompt_tokens")), _count(cached), _count(usage.get("completion_tokens")))


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
