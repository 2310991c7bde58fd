"""An answer's event stream: what is a token in it, and what only says how far it is."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any

LONGEST = 1 << 20  # bytes of one event


@dataclass(frozen=True, slots=True)
class Event:
    """One event, its bytes as they came, and what it says."""

    raw: bytes
    token: bool = False
    usage: bool = False  # the counts at the end, and nothing else
    progress: bool = False  # of the prefill, and nothing else
    new: int | None = None  # prompt tokens that are not in the cache


class Endless(Exception):
    """What came is no event stream."""


async def events(body: AsyncIterator[bytes]) -> AsyncGenerator[Event, None]:
    """A body's events, whatever pieces it comes in. Raises Endless."""
    rest = b""
    async for piece in body:
        *whole, rest = (rest + piece).replace(b"\r\n", b"\n").split(b"\n\n")
        for raw in whole:
            yield read(raw + b"\n\n")
        if len(rest) > LONGEST:
            raise Endless
    if rest.strip():
        yield read(rest)


def read(raw: bytes) -> Event:
    """What an event says; one that cannot be read is passed on as it is."""
    if not raw.startswith(b"data:"):
        return Event(raw)
    try:
        data = json.loads(raw[5:])
    except (ValueError, RecursionError):
        return Event(raw)
    if not isinstance(data, dict):
        return Event(raw)
    progress = data.get("prompt_progress")
    token = bool(_text(data))
    return Event(
        raw,
        token=token,
        usage=bool(data.get("usage")) and not data.get("choices"),
        progress=isinstance(progress, dict) and not token,
        new=_new(progress),
    )


def _text(data: dict[str, Any]) -> str:
    choices = data.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict):
        return ""
    delta = first.get("delta")
    content = delta.get("content") if isinstance(delta, dict) else first.get("text")
    return content if isinstance(content, str) else ""


def _new(progress: object) -> int | None:
    if not isinstance(progress, dict):
        return None
    total, cached = progress.get("total"), progress.get("cache")
    return max(0, total - cached) if isinstance(total, int) and isinstance(cached, int) else None
