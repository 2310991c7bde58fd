"""What a text says beneath what it shows: spelled out, turned around, encoded. Pure.

`seen` is the one reading that the classifier is given. `decoded` are texts that stand in it in a cipher, to
be judged like itself; `turned` are lone words, looked for among slurs only: any four letters mean something.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from glue.safety.fold import EDGES, LEET, LEETED, NOT_LETTER, OTHER_LEET, fold
from glue.safety.kinds import lexicon, tokens

SPELT = re.compile(r"(?<!\w)\w(?:[^\w\n]{1,3}\w(?!\w)){3,60}")
MENTIONS = re.compile(r"^(?:@\w+[\s,:]*)+")  # names say nothing of what is asked
BORDER = re.compile(r"[^\w]{2,}")
STARRED = re.compile(r"[a-z]+[*#%$@.\-]+[a-z]+|[a-z]\*{2,}")
CODE = re.compile(r"[A-Za-z0-9+/]{12,}={0,2}")
HEX = re.compile(r"(?:(?:0x)?[0-9a-fA-F]{2}[\s,]*){6,}")
BITS = re.compile(r"(?:[01]{8}[\s,]*){4,}")
MORSE = re.compile(r"[.\-·•–]+(?:[ /|]+[.\-·•–]+){3,}")  # noqa: RUF001 (a dash that chats make of "--")
NUMBERS = re.compile(r"(?:\b(?:6[5-9]|[78]\d|9[07-9]|1[01]\d|12[0-2]|32)\b[\s,.-]*){5,}")
CAPITALS = re.compile(r"(?:\b[A-Z][a-z]+\b[\s,]*){4,}")
SIGNS = dict(
    zip(
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- "
        "-.-- --..".split(),
        "abcdefghijklmnopqrstuvwxyz",
        strict=True,
    )
)
LONGEST = 14  # letters of a word
FEWEST = 3  # words of a text that is taken for language
SHARE = 0.6  # of them that are known
ATBASH = str.maketrans("abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba")


@lru_cache(maxsize=64)
def seen(folded: str) -> tuple[str, ...]:
    """The words of a folded text as a reader takes them."""
    found: list[str] = []
    folded = MENTIONS.sub("", folded)
    for piece in SPELT.sub(lambda m: f" {_spelt(m[0])} ", folded).split():
        found += _piece(piece)
    return tuple(found)


def _piece(piece: str) -> Sequence[str]:
    plain, bare, known = tokens(piece), piece.strip(EDGES), lexicon().known
    if not LEETED.search(bare) or bare.isdigit() or not any(c.isalpha() for c in bare):
        return plain
    if all(map(known, plain)):
        return plain
    for letters in (bare.translate(LEET), bare.translate(OTHER_LEET).translate(LEET)):
        word = NOT_LETTER.sub("", letters)
        if known(word):
            return [word]
    if "*" in bare and (word := _unstarred(bare)):
        return [word]
    return plain if len(plain) > 1 else [NOT_LETTER.sub("", bare.translate(LEET)) or bare]


@lru_cache(maxsize=256)
def _unstarred(bare: str) -> str:
    """The strong word that asterisks stand in; "" where there is none."""
    if not STARRED.fullmatch(bare):
        return ""
    like = re.compile("".join("[a-z]" if c == "*" else re.escape(c) for c in bare))
    return next((word for word in lexicon().strong() if like.fullmatch(word)), "")


def _spelt(letters: str) -> str:
    """ "i g n o r e  i t" as words: by its wider gaps, or as known words."""
    groups = BORDER.split(letters) if " " in letters else [letters]
    words = ("".join(c for c in group if c.isalnum()) for group in groups)
    return " ".join(_cut(word) for word in words if word)


def _cut(word: str) -> str:
    """The fewest known words that `word` is made of; itself where there are none."""
    best: list[list[str] | None] = [[]]
    for end in range(1, len(word) + 1):
        options = [
            [*before, word[start:end]]
            for start in range(max(0, end - LONGEST), end)
            if (before := best[start]) is not None and lexicon().holds(word[start:end])
        ]
        best.append(min(options, key=len) if options else None)
    return " ".join(best[-1] or [word])


def decoded(text: str) -> list[str]:
    """Texts that `text` holds in a cipher and that read like language."""
    found = (candidate for candidate in _candidates(text) if _language(candidate))
    return list(dict.fromkeys(found))


def _candidates(text: str) -> Iterator[str]:
    yield from _codes(text)
    folded = fold(text)
    if not _language(folded):
        yield folded[::-1]
        yield " ".join(word[::-1] for word in folded.split())
        yield codecs.encode(folded, "rot13")
        yield folded.translate(ATBASH)


def _codes(text: str) -> Iterator[str]:
    for code in CODE.findall(text):
        try:
            yield base64.b64decode(code + "=" * (-len(code) % 4), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
    for code in HEX.findall(text):
        pairs = "".join(c for c in code.replace("0x", "") if c.isalnum())
        yield bytes.fromhex(pairs[: len(pairs) // 2 * 2]).decode("utf-8", "replace")
    for code in BITS.findall(text):
        yield "".join(chr(int(byte, 2)) for byte in re.findall("[01]{8}", code))
    for code in NUMBERS.findall(text):
        yield "".join(chr(int(number)) for number in re.findall(r"\d+", code))
    for code in MORSE.findall(text):
        yield _cut_all("".join(SIGNS.get(_morse(sign), " ") for sign in re.split(r" |(/|\|)", code) if sign))


def _morse(sign: str) -> str:
    return sign.replace("·", ".").replace("•", ".").replace("–", "-")  # noqa: RUF001


def _cut_all(text: str) -> str:
    return " ".join(_cut(word) for word in text.split())


def _language(text: str) -> bool:
    words = tokens(fold(text))[:60]
    return len(words) >= FEWEST and sum(map(lexicon().known, words)) >= SHARE * len(words)


def turned(text: str) -> str:
    """Words that stand in `text` back to front, in rot13, or in initials."""
    strange = [w for w in tokens(fold(text)) if len(w) > 3 and not lexicon().known(w)]
    initials = ("".join(w[0] for w in run.split()).lower() for run in CAPITALS.findall(text))
    return " ".join([*(w[::-1] for w in strange), *(codecs.encode(w, "rot13") for w in strange), *initials])
