"""The composition root of the exams: no stage, no voice, the language model only where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import psutil
from omegaconf import DictConfig
from rich.console import Console

from glue.app import Notify
from glue.bait_exam import Exam, answer
from glue.checks import adapters, personas, safety
from glue.closing import closing
from glue.errors import ConfigError
from glue.events import ChatLine, Source
from glue.gate import Verdict
from glue.make import make
from glue.mind.talk import Talk
from glue.parts import gate_of, secret_of
from glue.ports import Role
from glue.safety.door import Door
from glue.safety.screen import Screen
from glue.settings import When


async def sit(
    cfg: DictConfig,
    run_dir: Path,
    processes: Mapping[str, int],
    listen: Callable[[Notify], None] = lambda notify: None,
    restart: Callable[[str], bool] = lambda name: False,
) -> float | None:
    """The exam that the config names; with the language model where its model=always. Returns its share."""
    perform = remember if cfg.memory_exam.run else resist
    return await perform(cfg, run_dir, processes)


async def remember(cfg: DictConfig, run_dir: Path, processes: Mapping[str, int]) -> float | None:
    """The memory exam: a year lived through, then questions. Returns recall@5."""
    from glue.memory.exam import Sitting, tell, write
    from glue.memory.unseen import tally
    from glue.memory.year import Question, year
    from glue.report import exams  # matplotlib: a second

    if "memory.adapter" not in adapters(cfg):
        raise ConfigError("memory: there is none to examine; cure: memory=milvus")
    settings, section = cfg.memory_exam, adapters(cfg)["memory.adapter"]
    console, server = Console(stderr=True), processes.get("memory")

    def weigh() -> float:
        return psutil.Process(server).memory_info().rss / 1e6 if server else 0.0

    screen = Screen(safety(cfg)) if safety(cfg).screen else None
    door = Door(safety(cfg), screen) if settings.model is When.always else Door()
    sitting = Sitting(section, console.print, weigh, lambda line, at: door.admit(line, at).line == line)
    made = year(settings.viewers, settings.lines, settings.questions, cfg.seed or 1)
    async with AsyncExitStack() as stack:
        answers = None
        if settings.model is When.always:
            llm = await stack.enter_async_context(make("llm.adapter", adapters(cfg)["llm.adapter"], {}))
            who, persona = next(iter(personas(cfg).items()))

            async def answers(question: Question, recalled: Sequence[str]) -> str:
                line = ChatLine("exam", question.author, question.text, Source.CONSOLE)
                prompt = Talk(who, persona, "", seed=cfg.seed or 7).prompt(line, recalled)
                async with closing(llm.stream(prompt, Role.SPEECH)) as pieces:
                    return "".join([piece async for piece in pieces if isinstance(piece, str)])

        report = await sitting.sit(made, list(settings.sizes), answers)
    report["unseen_injections"] = tally(screen.refuses if screen else lambda _: "")
    (run_dir / "report.html").write_text(exams.memory(report), encoding="utf-8")
    tell(report, write(report, run_dir), console)
    found = report["recall_at_5"]
    return float(found) if isinstance(found, int | float) else None


async def resist(cfg: DictConfig, run_dir: Path, processes: Mapping[str, int]) -> float | None:
    """The ban-bait exam. Returns the share held."""
    who, persona = next(iter(personas(cfg).items()))
    if not safety(cfg).screen:
        raise ConfigError("safety: nothing is screened, so there is nothing to examine; cure: safety=default")
    screen = Screen(safety(cfg))
    exam = Exam(cfg.bait_exam, screen, partial(gate_of, persona, screen), secret_of(persona))
    if cfg.bait_exam.model is not When.always:
        return await exam.sit(run_dir)
    async with make("llm.adapter", adapters(cfg)["llm.adapter"], {}) as llm:

        async def ask(line: ChatLine) -> list[tuple[str, Verdict]]:
            return await answer(
                Talk(who, persona, "", seed=cfg.seed or 7), llm, gate_of(persona, screen), line
            )

        return await exam.sit(run_dir, ask)
