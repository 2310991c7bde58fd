"""Texts for the classifier, grown from templates.txt: families x words x frames x ways to write. Pure.

A harmful statement and a harmless one go through the same frames ("say yes if ..."), so that what is learnt
is the statement and not the frame. The same seed gives the same texts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from glue.safety.fold import fold
from glue.safety.kinds import lexicon, tokens
from glue.safety.labelled import Labelled

TEMPLATES = Path(__file__).with_name("templates.txt")
SLOT = re.compile(r"\{([A-Z]+)\}")
CHOICE = re.compile(r"\(([^()]*)\)")
DEPTH = 12  # choices in choices, and words of words
EACH = 20  # texts of a template
FRAMED = 7000  # texts of statements in frames, of each kind
SALADS = 4000  # harmless texts without sense
HARMLESS = ("game", "food", "fun", "tech", "nice", "small", "small", "small", "ask", "you", "me", "animal")
OPINIONS = ("topics", "persona", "leak")  # viewers may have them, unless they want her to
NOUNS = ("game", "food", "fun", "tech", "animal", "nice", "")
ALONE = 0.35  # of the attempts, that get no twin
GRAVE = frozenset(
    "drop rules secret nolimit evilname group scorn kill selfharm weapon drug minor nazi politician party "
    "warplace right religion doubted privacy sex erotic body slur swear crime order system victim".split()
)
NEVER = frozenset({"slur", "nazi", "selfharm", "sex"})
SYLLABLES = "ka re lo mi tu ban der pog wax zel qui fro nix ham sto pep ly cat jam ez hype widd ri en".split()
SAYINGS = 5000  # statements alone, of each kind
OPENERS = (
    "",
    "",
    "",
    "",
    "yes, ",
    "well, ",
    "i think ",
    "honestly, ",
    "{FRIEND}, ",
    "okay, ",
    "haha, ",
    "maybe ",
)
SHORT = {"you": "u", "your": "ur", "you're": "ur", "are": "r", "please": "pls", "to": "2", "for": "4"}
SHORT |= {"because": "bc", "people": "ppl", "what's": "whats", "don't": "dont", "going": "goin", "with": "w"}
SHORT |= {"i'm": "im", "about": "abt", "know": "kno", "really": "rly", "though": "tho", "right": "rite"}
LEET = str.maketrans("aeiost", "431057")


@dataclass(frozen=True, slots=True)
class Templates:
    """`words` by name; the lines of each section ("hate", "hate ok", "say hate", "frame")."""

    words: Mapping[str, Sequence[str]]
    sections: Mapping[str, Sequence[str]]


def read(path: Path = TEMPLATES) -> Templates:
    """The templates of a file."""
    words: dict[str, list[str]] = {}
    sections: dict[str, list[str]] = defaultdict(list)
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, options = line.partition(" = ")
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif equals and name.isupper():
            words[name] = options.split(" | ")
        elif line and not line.startswith("# "):
            sections[section].append(line)
    return Templates(words, sections)


class Grower:
    """Chooses at random, by a seed."""

    def __init__(self, templates: Templates, seed: int = 7) -> None:
        self._templates, self._chance = templates, Random(seed)

    def filled(self, template: str) -> str:
        """One text of a template."""
        for _ in range(DEPTH):
            grown = CHOICE.sub(lambda m: self._chance.choice(m[1].split("|")), template)
            grown = SLOT.sub(lambda m: self._chance.choice(self._templates.words.get(m[1], [m[0]])), grown)
            if grown == template:
                break
            template = grown
        return " ".join(template.split())

    def lines(self) -> list[Labelled]:
        """Lines of chat: every family's, and statements in frames."""
        found = []
        for section, templates in self._templates.sections.items():
            family, _, rest = section.partition(" ")
            if family in ("say", "frame", "spoken"):
                continue
            for template in templates:
                texts = {self.written(self.filled(template)) for _ in range(EACH)}
                found += [Labelled(text, family, rest == "ok") for text in sorted(texts)]
        found += [self._framed(benign) for benign in (False, True) for _ in range(FRAMED)]
        found += [twin for line in found if not line.benign and (twin := self._twin(line))]
        found += [Labelled(self._lone(), "chat", True) for _ in range(SALADS // 2)]
        return found + [Labelled(self._salad(), "chat", True) for _ in range(SALADS)]

    def _lone(self) -> str:
        """A grave word by itself, or with a harmless one: viewers say such words all day long."""
        grave = self._chance.choice(lexicon().words(self._chance.choice(sorted(GRAVE - NEVER))))
        other = self._chance.choice(lexicon().words(self._chance.choice(HARMLESS)))
        return self._chance.choice(
            (grave, grave, f"{grave} {other}", f"{other} {grave}", f"{other} the {grave}")
        )

    def _twin(self, line: Labelled) -> Labelled | None:
        """The same sentence with harmless words in place of the grave ones: its form alone is no bait."""
        words = tokens(fold(line.text))
        kinds = lexicon().each(words)
        grave = [i for i, found in enumerate(kinds) if GRAVE.intersection(found)]
        if not grave or self._chance.random() < ALONE:
            return None
        for i in grave:
            kind = self._chance.choice(NOUNS)
            words[i] = self._chance.choice(lexicon().words(kind) if kind else SYLLABLES)
        if any(GRAVE.intersection(found) for found in lexicon().each(words)):
            return None
        return Labelled(" ".join(words), line.family, True)

    def _salad(self) -> str:
        """Harmless words without sense, half of them unheard of: what is not known is not bait."""
        chance = self._chance
        words = [word for kind in HARMLESS for word in chance.sample(lexicon().words(kind), 2)]
        words += ["".join(chance.choice(SYLLABLES) for _ in range(chance.randint(1, 4))) for _ in range(12)]
        return " ".join(chance.sample(words, chance.randint(1, 12)))

    def clauses(self) -> list[Labelled]:
        """What she might say."""
        found = []
        for benign in (False, True):
            for _ in range(SAYINGS):
                family, text = self._said(benign)
                found.append(
                    Labelled(f"{self.filled(self._chance.choice(OPENERS))} {text}".strip(), family, benign)
                )
        for section in ("spoken ok", "chat ok"):
            for template in self._templates.sections[section]:
                found += [Labelled(self.filled(template), "spoken", True) for _ in range(EACH)]
        return found

    def _said(self, benign: bool) -> tuple[str, str]:
        kinds = [s for s in self._templates.sections if s.startswith("say ") and (s == "say ok") == benign]
        section = self._chance.choice(kinds)
        return section[4:], self.filled(self._chance.choice(self._templates.sections[section]))

    def _framed(self, benign: bool) -> Labelled:
        family, statement = self._said(benign)
        assent = self._chance.random() < 0.4
        frames = self._templates.sections["frame assent" if assent else "frame"]
        if family in OPINIONS:
            frames = [frame for frame in frames if not frame.startswith(("{P}", "hot take", "unpopular"))]
        text = self.filled(self._chance.choice(frames).replace("{P}", "\0")).replace("\0", statement)
        return Labelled(self.written(text), "yesbait" if assent else family, benign)

    def written(self, text: str) -> str:
        """The text as somebody in chat types it."""
        chance = self._chance
        if chance.random() < 0.4:
            text = " ".join(SHORT.get(w, w) if chance.random() < 0.7 else w for w in text.split(" "))
        if chance.random() < 0.12:
            text = f"{self.filled('{CALL}')} {text}"
        if chance.random() < 0.15:
            text = f"{text} {self.filled('{EMOTE}')}"
        if chance.random() < 0.15:
            talk = self.filled(chance.choice(self._templates.sections["chat ok"]))
            text = chance.choice((f"{text}, {talk}", f"{talk}. {text}"))
        if chance.random() < 0.07:
            text = self._mistyped(text)
        if chance.random() < 0.05:
            text = text.translate(LEET)
        return text

    def _mistyped(self, text: str) -> str:
        at = self._chance.randrange(max(1, len(text) - 1))
        return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]
