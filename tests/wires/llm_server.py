"""llama.cpp's server, the small model in it, and what it is at."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx

from engines.port import unused
from engines.specs import spec
from glue.mind.openai_llm import OpenAiLlm
from glue.ports import Message, Prompt
from tests.wires.child_engines import serving

ROOT = Path(__file__).parents[2]
SLOTS = {"main": 0, "evil": 1, "background": 2}
MOST = 2500  # tokens; no machine has written them before somebody looks
SOON = 100  # tokens that it may yet write when somebody hangs up
LONG = Prompt(
    "main",
    (Message("user", "Count from one to a thousand, in words."),),
    max_tokens=MOST,
    sampling={"ignore_eos": True},
)


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "engines.llm", *options]


def patient(url: str, slots: Mapping[str, int] = SLOTS, **more: Any) -> OpenAiLlm:
    """Ours, as patient as a busy machine wants it."""
    return OpenAiLlm(url, {}, slots, first_token_s=60.0, stall_s=60.0, **more)


@contextmanager
def llama(**options: object) -> Iterator[str]:
    """It serves, with one thread for each work: its address."""
    known = {"port": unused(), "model": "smollm2", "threads": 1, "threads_batch": 1, "prefix_folder": "none"}
    made = spec("llm", known | options)
    with serving(made):
        yield made.address


async def until_at_work(url: str, *wanted: int) -> dict[int, int]:
    """Until these slots work and no others; the tokens that each slot has by then."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        with anyio.fail_after(60):  # the server tells only who asks
            while True:
                slots = (await client.get("/slots")).json()
                if {slot["id"] for slot in slots if slot["is_processing"]} == {*wanted}:
                    return {slot["id"]: slot.get("n_prompt_tokens", 0) for slot in slots}
                await anyio.lowlevel.checkpoint()
