"""One of the cast, with all that she needs around her."""

from __future__ import annotations

from dataclasses import dataclass

from glue.gate import Gate
from glue.memory_ports import Memory
from glue.ports import Llm, Mind, Stand, Tts


@dataclass(frozen=True, slots=True)
class Member:
    """One of the cast: everything that her replies need."""

    who: str
    mind: Mind
    llm: Llm
    tts: Tts
    memory: Memory
    gate: Gate
    stand: Stand
