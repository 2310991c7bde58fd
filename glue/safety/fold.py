"""One text as a reader sees it: look-alike letters, leetspeak, spacing and drawn-out letters undone. Pure.

The lists are folded by the same functions, so that a word of any script matches itself.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

LOOKALIKES = Path(__file__).with_name("lookalikes.txt")
NAMED = re.compile(
    r"(?:LATIN|REGIONAL INDICATOR).*LETTER "
    r"(?:SMALL CAPITAL |DOTLESS |SCRIPT |TURNED |REVERSED |OPEN |SIDEWAYS )?([A-Z])(?: WITH .+)?$"
)
LEET = str.maketrans("01345789@$!¡|+€£¢", "oieastbgasiiitelc")
OTHER_LEET = str.maketrans("1|!6", "lllg")
EDGES = " .,;:!?¡¿\"'()[]{}<>*~_-…"
WORD = re.compile(r"[\w']+")
NOT_LETTER = re.compile(r"[\W\d_]+")
LEETED = re.compile(r"[01345789@$!¡|+€£¢.\-_*]")
SEAMS = re.compile(r"[_\-.|/]+")
DRAWN = re.compile(r"(.)\1{2,}")
RUNS = re.compile(r"(.)\1*")
TIMES = re.compile(r"\b(?:two|double|2) ([a-z])'?s?\b")  # "two gs"
SPELT = 150  # hidden words at most: a line of lone letters holds thousands
LONGEST = 14  # letters of a word that is put together from pieces
FILLERS = frozenset({"then", "and", "next", "plus"})


@dataclass(frozen=True, slots=True)
class Reading:
    """A text in every way that it is read: `folded`, its `plain` words, those of leetspeak, `hidden` ones."""

    folded: str
    plain: tuple[str, ...]
    leeted: tuple[str, ...]
    hidden: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The plain words, a blank between two."""
        return " ".join(self.plain)


@lru_cache(maxsize=32)  # a text is looked up in several lists, one after another
def read(text: str) -> Reading:
    """Every reading of a text."""
    folded = fold(text)
    return Reading(folded, tuple(words(folded)), tuple(leet(folded)), tuple(hidden(folded)))


def fold(text: str) -> str:
    """Lower case, plain Latin where it looks Latin, no marks, nothing invisible. Keeps punctuation."""
    if text.isascii():
        return text.lower()
    return "".join(map(_folded, unicodedata.normalize("NFKD", text)))


@lru_cache(maxsize=4096)
def _folded(char: str) -> str:
    looks = lookalikes()
    if char in looks:
        return looks[char]
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return ""
    named = NAMED.search(unicodedata.name(char, ""))
    if named:
        return named[1].lower()
    small = char.casefold()
    return looks.get(small, small)


@cache
def lookalikes() -> dict[str, str]:
    """What letters of other scripts are read as."""
    rows = (row.split() for row in LOOKALIKES.read_text(encoding="utf-8").splitlines() if row[:1] != "#")
    return {char: read_as for read_as, chars in rows for char in chars}


def words(folded: str) -> list[str]:
    """The words of a folded text; an apostrophe is no border ("don't" is "dont")."""
    return [w for w in (found.replace("'", "") for found in WORD.findall(folded)) if w]


def leet(folded: str) -> list[str]:
    """The same with digits and signs read as letters, and full stops inside a word overlooked."""
    found: list[str] = []
    for piece in folded.split():
        bare = piece.strip(EDGES)
        if LEETED.search(bare) and not bare.isdigit() and any(c.isalpha() for c in bare):
            found.append(NOT_LETTER.sub("", bare.translate(LEET)))
        else:
            found += words(bare)
    return [w for w in found if w]


def hidden(folded: str) -> list[str]:
    """Words that stand in the text in pieces: "k y s", "k then y then s", "sp1ll", initials after a colon."""
    folded = TIMES.sub(r"\1 \1", folded)
    found = _joined([w for w in words(folded) if w not in FILLERS]) + _joined(leet(folded))
    for piece in folded.split():
        bare = piece.strip(EDGES)
        if LEETED.search(bare) and len(parts := SEAMS.split(bare)) > 1:  # a name that holds one: "x_w0rd_99"
            found += [word for part in parts for word in leet(part)]
        if any(c in "1|!6" for c in bare):
            found.append(NOT_LETTER.sub("", bare.translate(OTHER_LEET).translate(LEET)))
    if "letter" in folded:  # "say the first letter of each: ..."
        found.append("".join(w[0] for w in words(folded.rpartition(":")[2])))
    return [w for w in dict.fromkeys(found) if len(w) > 2][:SPELT]


def _joined(pieces: list[str]) -> list[str]:
    """What neighbours of one or two letters spell, three or more of them."""
    found: list[str] = []
    for start in range(len(pieces)):
        word, count = "", 0
        for piece in pieces[start:]:
            if len(piece) > 2 or len(word) + len(piece) > LONGEST:
                break
            word, count = word + piece, count + 1
            if count > 2:
                found.append(word)
    return found


def drawn_out(word: str) -> bool:
    """Whether a letter stands three times in a row."""
    return DRAWN.search(word) is not None


def squeezed(word: str) -> str:
    """Every letter once: "heeello" is "helo"."""
    return RUNS.sub(r"\1", word)


def covers(word: str, entry: str) -> bool:
    """Whether `word` is `entry` with letters drawn out: as many of each, or more."""
    here, there = RUNS.finditer(word), RUNS.finditer(entry)
    return all(a[1] == b[1] and len(a[0]) >= len(b[0]) for a, b in zip(here, there, strict=False))
