"""One request of the background's to the language model."""

from __future__ import annotations

from glue.closing import closing
from glue.ports import Llm, Prompt, Role


async def asked(llm: Llm, prompt: Prompt) -> str:
    """The whole answer. A reply that is written stops it and it starts again (Role.BACKGROUND). Raises
    PortError."""
    async with closing(llm.stream(prompt, Role.BACKGROUND)) as pieces:
        return "".join([piece async for piece in pieces if isinstance(piece, str)])
