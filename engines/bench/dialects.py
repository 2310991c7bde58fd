"""The OpenAI wire's dialects: the body of one request, with a persona's adapter and a slot of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from engines.bench.options import Dialect

PERSONAS = 2
# What a server calls itself in /v1/models (`owned_by`); the sources of each say so.
OWNERS = {"llamacpp": Dialect.llamacpp, "tensorrt_llm": Dialect.trtllm, "vllm": Dialect.vllm}


@dataclass(frozen=True, slots=True)
class Server:
    """What is known of a server. `adapters`: of each persona; a llama.cpp is told by number which to use."""

    url: str
    dialect: Dialect
    model: str
    slots: int = 0  # of llama.cpp; 0: unknown, it chooses
    adapters: tuple[str, ...] = ()
    weights: float = 0.0  # bytes, where it tells
    parameters: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request's content. `lane` is who asks: on llama.cpp a slot, so that each keeps her prefix."""

    system: str
    line: str
    tokens: int
    persona: int = 0
    lane: int = 0


def body(server: Server, asked: Asked) -> dict[str, Any]:
    """The request to /v1/chat/completions."""
    said: dict[str, Any] = {
        "model": server.model,
        "messages": [
            {"role": "system", "content": asked.system},
            {"role": "user", "content": asked.line},
        ],
        "max_tokens": asked.tokens,
        "temperature": 0.0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return said | _own(server, asked)


def _own(server: Server, asked: Asked) -> dict[str, Any]:
    """What only this dialect knows. trtllm-serve refuses every field that it does not know."""
    adapter = server.adapters[asked.persona] if server.adapters else ""
    if server.dialect is Dialect.llamacpp:
        own: dict[str, Any] = {"cache_prompt": True, "ignore_eos": True}
        if server.slots:
            own["id_slot"] = asked.lane % server.slots
        if server.adapters:  # without this field all of them would apply
            own["lora"] = [{"id": asked.persona, "scale": 1.0}]
        return own
    if server.dialect is Dialect.trtllm and adapter:
        name, number = PurePosixPath(adapter).name, adapter_id(adapter)
        return {"lora_request": {"lora_name": name, "lora_int_id": number, "lora_path": adapter}}
    if server.dialect is Dialect.vllm:
        return {"ignore_eos": True} | ({"model": adapter} if adapter else {})
    return {}


def adapter_id(path: str) -> int:
    """trtllm-serve keeps adapters by number: the same as the show's for the same path, so that it does not
    hold one twice. 31 bits, never 0."""
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "big") % (2**31 - 1) + 1
