"""What the adapters of a show ask for by name, built before them: the page, the models, who remembers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from omegaconf import DictConfig

from glue.checks import plain
from glue.errors import PortError
from glue.floor import Floor, Recorder
from glue.mind.dialect import Extensions, Server
from glue.mind.template import Template
from glue.pace import PacedTts
from glue.parts import NoMemory, Parts
from glue.ports import Prompt, Role, Whose
from glue.senses.console import ConsoleSense

Built = Callable[[str, Mapping[str, Any]], Awaitable[Any]]


async def neighbours(
    sections: dict[str, dict[str, Any]],
    offer: dict[str, object],
    parts: Parts,
    built: Built,
    refuses: Callable[[str], str],
) -> None:
    """What others ask for: "memory", which leaves every prompt where it forgets, and the "broadcast"."""

    def unlearn(ids: Sequence[str], whose: Whose | None) -> None:
        for member in parts.members.values():
            member.mind.forget(ids, whose)

    def unknow(who: str) -> None:
        parts.members[who].mind.know("")

    async def know(who: str, core: str) -> None:
        member = parts.members[who]
        if member.mind.know(core):  # nothing was said yet: the first reply would pay for it
            with suppress(PortError):
                await member.llm.warm(member.mind.prefix())

    offer |= {"unlearn": unlearn, "know": know, "unknow": unknow, "refuses": refuses}
    offer |= {"forgets": parts.forget, "memory": NoMemory()}
    for name, key in (("memory", "memory.adapter"), ("broadcast", "broadcast")):
        if key in sections:
            offer[name] = await built(key, sections.pop(key))
            parts.add(offer[name])


async def page(
    sections: dict[str, dict[str, Any]], offer: dict[str, object], parts: Parts, built: Built
) -> None:
    """The operator's page, and what is typed and pressed on it."""
    if "console" in sections:
        console = await built("console", sections.pop("console"))
        offer |= {"console": console, "desk": console, "microphones": console.microphones}
        parts.add(ConsoleSense(console))
        parts.viewers.append(console)
        parts.forgetting.append(console.forget)


async def voice(cfg: DictConfig, sections: dict[str, dict[str, Any]], parts: Parts, built: Built) -> Any:
    """The voice; where it has to keep a pace, one that tells which it kept."""
    tts = await built("speech.adapter", sections.pop("speech.adapter"))
    if stated := cfg.pace.get("voice"):
        tts = parts.voice = PacedTts(tts, cfg.stage.rate, **plain(stated))
    return tts


async def model(sections: dict[str, dict[str, Any]], offer: dict[str, object], built: Built) -> Any:
    """The language model; where a small one says the first words, the two as one."""
    llm = await built("llm.adapter", sections.pop("llm.adapter"))
    if "llm.opening" not in sections:
        return llm
    offer |= {"main": llm, "small": await built("llm.small", sections.pop("llm.small"))}
    return await built("llm.opening", sections.pop("llm.opening"))


def floor(cfg: DictConfig, recorder: Recorder, minds: Mapping[str, Any]) -> Floor:
    """The bare loop against the same two servers, in the background's slot."""
    llm = cfg.llm.adapter
    server = Server(
        Extensions(llm.extensions),
        dict(llm.models),
        dict(llm.slots),
        dict(llm.adapters),
        Template(llm.template),
    )

    def request(prompt: Prompt) -> tuple[str, dict[str, Any]]:
        asked = server.request(prompt, Role.SPEECH)
        if server.extensions is Extensions.LLAMACPP:
            asked.body["id_slot"] = server.slots.get("background", 0)
        return asked.path, asked.body

    return Floor(recorder, minds, llm.url, cfg.speech.adapter.address, cfg.stage.rate, request, llm.key)
