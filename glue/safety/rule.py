"""The rules about bait, of rules.yaml: a family, how sure one is, and what is looked for in a folded line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml  # type: ignore[import-untyped]  # comes with omegaconf

SHIPPED = Path(__file__).with_name("rules.yaml")
NAME = re.compile(r"\{([A-Z]+)\}")
NESTED = 3  # words that stand for other words


class Sure(IntEnum):
    """How much a finding says. WARY: she may answer, and what she says is judged more strictly."""

    WARY = 1
    BAIT = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a line or a clause was found to be. `why` is for the journal.

    `firm`: a fact, which the classifier does not overrule."""

    family: str
    why: str
    sure: Sure = Sure.BAIT
    firm: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern` in the words of a line (or, `raw`, in the line with its signs), but not `unless`."""

    family: str
    why: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None
    sure: Sure
    raw: bool
    out: bool  # what it finds she must not say either

    def finds(self, text: str) -> bool:
        """Whether `text` is what this rule is about."""
        return bool(self.pattern.search(text)) and not (self.unless and self.unless.search(text))


@cache
def _read() -> Mapping[str, Any]:
    return cast(Mapping[str, Any], yaml.safe_load(SHIPPED.read_text(encoding="utf-8")))


@cache
def about(word: str) -> re.Pattern[str]:
    """What rules.yaml says of topics: "asked", "sided" or "harmless"."""
    return _pattern(_read()["topics"][word], {}, raw=False)


@cache
def shipped() -> tuple[Rule, ...]:
    """Every rule of rules.yaml, compiled once."""
    read = _read()
    names = {name: "|".join(words) for name, words in read["words"].items()}
    return tuple(_rule(found, names) for found in read["rules"])


def _rule(found: Mapping[str, Any], names: Mapping[str, str]) -> Rule:
    raw = bool(found.get("raw", False))
    unless = found.get("unless")
    return Rule(
        found["family"],
        found["why"],
        _pattern(found["find"], names, raw),
        _pattern(unless, names, raw) if unless else None,
        Sure[found.get("sure", "BAIT")],
        raw,
        bool(found.get("out", False)),
    )


def _pattern(found: Sequence[str], names: Mapping[str, str], raw: bool) -> re.Pattern[str]:
    text = "|".join(found)
    for _ in range(NESTED):
        text = NAME.sub(lambda m: names[m[1]], text)
    return re.compile(text if raw else rf"\b(?:{text})\b")


def first(rules: Iterable[Rule], plain: str, raw: str) -> Finding | None:
    """What is found in a line, the surest first. `plain`: its words, `raw`: it, both folded."""
    wary: Finding | None = None
    for each in rules:
        if each.finds(raw if each.raw else plain):
            found = Finding(each.family, each.why, each.sure, each.raw)
            if each.sure is Sure.BAIT:
                return found
            wary = wary or found
    return wary
