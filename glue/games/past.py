"""A viewer asks what she did in a game ("did you make the pickaxe?"): the truth, before a model guesses."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from glue.games.asking import ASKING, vocabulary
from glue.games.deeds import Came, Deed, Deeds
from glue.games.schema import Shape
from glue.ports import Fact

DID = re.compile(
    r"\b(?:did|didn'?t|have|haven'?t|had) (?:you|ya|u)\b"
    r"|\byou(?:'ve| have) (?!to\b)(?=[^.!?]*\?)",  # "you've made my day" asks for nothing
    re.IGNORECASE,
)
# What is said word for word must be asked for with nothing behind it but a name: "what happened to Mika".
END = r"(?: there| just now| this time| in (?:the|this) game)?(?:, ?\w+)?\W*$"
HAPPENED = re.compile(rf"\bwhat(?: just)? happened(?: to you)?{END}", re.IGNORECASE)
LAST = re.compile(
    r"(?:\bdid (?:it|that|this) (?:work|fail)|\bwhy did (?:it|that) (?:fail|not work)"
    rf"|\blast thing (?:that )?you did|\bhow did (?:it|that) go){END}",
    re.IGNORECASE,
)
KILLED = re.compile(rf"\b(?:who|what) (?:just )?(?:killed|got) you{END}", re.IGNORECASE)
OPEN = re.compile(r"\b(?:what|which|how many|how much)\b", re.IGNORECASE)
WORD = re.compile(r"[a-z]+")
IRREGULAR = {
    "ate": "eat", "began": "begin", "built": "build", "came": "come", "caught": "catch", "dead": "die",
    "death": "die", "died": "die", "dug": "dig", "eaten": "eat", "fed": "feed", "fell": "fall",
    "fought": "fight", "found": "find", "gone": "go", "got": "get", "gotten": "get", "killed": "kill",
    "lost": "lose", "made": "make", "ran": "run", "slept": "sleep", "took": "take", "taken": "take",
    "tree": "log", "trees": "log", "went": "go", "won": "win", "wood": "log",
}  # fmt: skip
# Words for one and the same deed.
ALIKE = [
    frozenset(words.split())
    for words in (
        "build craft create get make smelt",
        "chop collect cut dig fetch find gather get grab harvest mine",
        "attack beat defeat fight kill slay",
        "come explore flee follow go run travel walk wander",
        "place put",
        "move play",
    )
]
VERBS = ASKING.union(*ALIKE)
# Half of a chat is about these: "did you get my message", "did you make it".
VAGUE = frozenset(
    "beat come create cut fight follow get go grab make move play put run take travel walk".split()
)
ANY = frozenset("accomplish achieve complete do done fail finish happen manage start succeed try up".split())
NOISE = frozenset(
    "a about actually again all already an and any anybody anyone anything are at been before chat down ever"
    " far finally for from game have hey here i in is it its just last lately my no now of off ok on out"
    " please really right so some somebody someone something spark still stuff that the them there thing"
    " things this time to today tonight up us we with yes yet you your".split()
)
NEVER = frozenset({"say", "tell", "look", "see", "have"})  # what she said is no deed of a game's
# What she did before this process began she may have forgotten.
NOT_YET, NOTHING = "Not since I came in.", "Nothing yet since I came in."
DIES = "di"  # the stem
DIED = re.compile(r"\byou (?:have )?(?:died|(?:were|got) (?:killed|slain|blown up))\b", re.IGNORECASE)
COUNTED = re.compile(r"\b(?:how (?:many|much)|which)\b(.*)", re.IGNORECASE)
MANY = 3  # deeds that are told of several


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: for which deed ("" for any), with which things, whether for what she did at all, and
    whether for what befell her, too."""

    verb: str
    things: frozenset[str]
    open: bool
    befell: bool = False

    @property
    def vague(self) -> bool:
        """Whether it may be about anything else than a game as well."""
        return self.verb in _stems(VAGUE)

    @property
    def bare(self) -> bool:
        """Whether it says nothing of what."""
        return not (self.things or self.open)


def past(game: str, deeds: Deeds, asked: str, actions: Iterable[Shape], ours: bool) -> list[str]:
    """What to tell her before she answers `asked`; nothing where no deed of a game is asked for. `ours`: a
    game that tells all of what befalls her."""
    text, named = _without(game, asked)
    question = _read(text)
    if question is None:
        return []
    vague = question.vague and not named
    if found := _found(question, deeds):
        said = " ".join(deed.said for deed in found)
        told = f"In {game}: {said}"
        return [told if vague and question.bare else Fact(told, said)]
    shapes = list(actions)
    does = {_stem(word) for shape in shapes for word in vocabulary(shape)[0]}
    takes = {_stem(word) for shape in shapes for word in vocabulary(shape)[1]}
    if not deeds.whole or not _hers(question, does, ours):
        return []
    known = question.things <= takes | does
    if vague and (question.bare or not known):
        return []
    if known:
        nothing = NOTHING if question.open else NOT_YET
        return [Fact(f"In {game}: {nothing}", nothing)]
    lately = " ".join(
        deed.said for deed in list(deeds)[:MANY]
    )  # whether the game knows that thing is not known
    return [f"In {game}, since I came in, I have done no more than this: {lately or 'nothing yet.'}"]


def _without(game: str, asked: str) -> tuple[str, bool]:
    """What is asked without the game's name, and whether that was in it."""
    text = asked.casefold().replace("\u2019", "'")
    left = re.sub(rf"(?:\b(?:in|on) )?(?<!\w){re.escape(game.casefold())}(?!\w)", " ", text)
    return left, left != text


def _hers(question: Question, does: Collection[str], ours: bool) -> bool:
    """Whether it is asked for something that could have been done in the game, or have befallen her."""
    if question.verb == DIES:
        return ours
    return (question.open and not (question.verb or question.things)) or any(
        _alike(question.verb, verb) for verb in does
    )


def _read(text: str) -> Question | None:
    if HAPPENED.search(text):
        return Question("", frozenset(), open=False, befell=True)
    if LAST.search(text):
        return Question("", frozenset(), open=False)
    if KILLED.search(text):
        return Question(DIES, frozenset(), open=False)
    match = DID.search(text)
    if match is None or text.startswith(" got", match.end()):  # "have you got": that is what she has
        return None
    before, words = text[: match.start()], _words(text[match.end() :])
    told = [word for word in words if word not in _stems(ANY)]
    first = told[0] if told and (told[0] == words[0] or told[0] in _stems(VERBS)) else ""
    if not words or first in _stems(NEVER):
        return None
    counted = COUNTED.search(before)  # "how many logs did you get"
    things = told[1:] if first else told
    more = _words(counted[1]) if counted else []
    return Question(first, frozenset([*things, *more]), bool(OPEN.search(before)))


def _words(text: str) -> list[str]:
    return [_stem(word) for word in WORD.findall(text) if word not in NOISE]


def _found(question: Question, deeds: Deeds) -> list[Deed]:
    """The deeds that are asked for, those that were done first; for "what" some of them."""
    hers = [deed for deed in deeds if _fits(question, deed)]
    if not question.verb and not question.things:
        own = [deed for deed in hers if question.befell or deed.came is not Came.BEFELL]
        return own[: MANY if question.open else 1]
    hers = [deed for deed in hers if _stem(deed.verb) == question.verb] or hers
    best = [deed for deed in hers if deed.came is Came.DONE]
    best = best or [deed for deed in hers if deed.came is Came.BEFELL] or hers
    return best[: MANY if question.open else 1]


def _fits(question: Question, deed: Deed) -> bool:
    words = _stems(WORD.findall(f"{deed.verb} {deed.things} {deed.told}".casefold()))
    named = _stems(WORD.findall(deed.things.casefold()))
    if question.verb == DIES:
        return deed.came is Came.BEFELL and bool(DIED.search(deed.told))
    if deed.came is Came.BEFELL:
        sought = {question.verb, *question.things} - {""}
        return (question.befell or bool(sought)) and all(
            any(_alike(word, each) for each in words) for word in sought
        )
    if question.verb and not _alike(question.verb, _stem(deed.verb)):
        return False
    return question.things <= (named | words if deed.came is Came.DONE else named)


def _alike(verb: str, other: str) -> bool:
    return verb == other or any({verb, other} <= _stems(words) for words in ALIKE)


def _stems(words: Collection[str]) -> set[str]:
    return {_stem(word) for word in words}


@lru_cache(maxsize=2000)
def _stem(word: str) -> str:
    """What "digging", "digs" and "dug" have in common."""
    word = IRREGULAR.get(word, word)
    for end in ("ing", "ed", "es", "s"):
        if word.endswith(end) and len(word) - len(end) >= 3:
            word = word.removesuffix(end)
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 2 else word
