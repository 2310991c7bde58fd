"""The OpenAI wire's stream, line by line: what a `data:` line of a completion says."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from glue.ports import Sampled, Usage

LONGEST = 1 << 20  # bytes of one line; more is not of this wire


@dataclass(frozen=True, slots=True)
class Chunk:
    """One event of the stream: some text, and token counts where the server told them."""

    text: str = ""  # Sampled, where the server told the tokens of it
    usage: Usage | None = None
    progress: tuple[int, int] | None = None  # llama.cpp: prompt tokens in all, of them from the cache


class BadChunk(ValueError):
    """A line that is not of this wire."""


def read(line: str) -> Chunk | None:
    """A line of the event stream; None for what carries nothing (comments, blanks, [DONE]).

    Raises BadChunk for what is no JSON object of a completion, or an error that the server sends inside."""
    if not line.startswith("data:"):
        if not line or line.startswith((":", "event:", "id:", "retry:")):
            return None
        if line.startswith("error:"):  # llama.cpp's own way to fail in mid-stream
            raise BadChunk(line[6:].strip()[:200])
        raise BadChunk(f"not an event stream: {line[:80]!r}")
    body = line[5:].strip()
    if body == "[DONE]":
        return None
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadChunk(f"not JSON: {body[:80]!r}") from error
    if not isinstance(data, dict):
        raise BadChunk(f"not an object: {body[:80]!r}")
    if "error" in data:
        raise BadChunk(_message(data["error"]))
    return Chunk(_text(data), _usage(data.get("usage")), _progress(data.get("prompt_progress")))


async def split(raw: AsyncIterator[bytes]) -> AsyncGenerator[str, None]:
    """A body's lines, whatever pieces it comes in. Raises BadChunk for an endless one, UnicodeDecodeError."""
    rest = b""
    async for piece in raw:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.rstrip(b"\r").decode("utf-8")
        if len(rest) > LONGEST:
            raise BadChunk("a line without an end")
    if rest.strip():
        yield rest.decode("utf-8")


def _message(error: object) -> str:
    return str(error.get("message", error))[:200] if isinstance(error, dict) else str(error)[:200]


def _text(data: dict[str, object]) -> str:
    choices = data.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict):
        return ""
    delta = first.get("delta")  # of a chat; a plain completion has its text right here
    content = delta.get("content") if isinstance(delta, dict) else first.get("text")
    text = content if isinstance(content, str) else ""
    ids = _ids(first.get("logprobs"), text)
    return Sampled(text, ids) if ids else text


def _ids(logprobs: object, text: str) -> list[int]:
    """llama.cpp: the tokens that `text` is. None where they are not all of it: of a character that takes
    several tokens, or of words held back, only the last one is told."""
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    tokens = [each for each in content if isinstance(each, dict)] if isinstance(content, list) else []
    try:
        told = b"".join(bytes(each["bytes"]) for each in tokens)
        return [int(each["id"]) for each in tokens] if told == text.encode() else []
    except (KeyError, TypeError, ValueError):
        return []


def _usage(usage: object) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else 0
    return Usage(_count(usage.get("prompt_tokens")), cached, _count(usage.get("completion_tokens")))


def _progress(progress: object) -> tuple[int, int] | None:
    if not isinstance(progress, dict):
        return None
    return _count(progress.get("total")), _count(progress.get("cache"))


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
