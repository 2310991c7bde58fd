"""WORLD -> EVENTS: makes a viewer's text safe to show, journal and put in a prompt. Pure; never raises.

What is taken out: control, zero-width and direction-changing characters, lone surrogates, private use,
blanks that pass for letters, and towers of combining marks. What stays is NFC text on one line.
"""

import re
import unicodedata
from dataclasses import dataclass

LONGEST_TEXT = 500  # characters
LONGEST_NAME = 40
MARKS = 4  # combining marks on one character; living languages need no more
NOBODY = "someone"
JOINER, EMOJI_STYLE = "\u200d", "\ufe0f"
# Invisible, yet letters, marks or symbols to Unicode: fillers, grapheme joiner, other variation selectors.
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u17b4\u17b5\u034f")
SELECTORS = frozenset(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE0F), *range(0xE0100, 0xE01F0))))
SKIN = frozenset(map(chr, range(0x1F3FB, 0x1F400)))  # emoji modifiers
SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Clean:
    """Text that can go anywhere, and how many characters were cut off its end."""

    text: str
    cut: int = 0


def clean(raw: str | bytes, longest: int = LONGEST_TEXT) -> Clean:
    """`raw` as one line of at most `longest` characters. Bytes that are not UTF-8 become U+FFFD."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    beyond = max(0, len(text) - 4 * longest)  # a megabyte of it is not worth the event loop's time
    text = text[: 4 * longest]
    if not (text.isascii() and text.isprintable()):
        # Twice: composing brings characters apart again (U+0344 is two marks), which may be too many now.
        text = unicodedata.normalize("NFC", _kept(unicodedata.normalize("NFC", _kept(text))))
    text = SPACES.sub(" ", text).strip()
    short = text[:longest].rstrip(" " + JOINER)
    return Clean(short, beyond + len(text) - len(short))


def name(raw: str | bytes) -> str:
    """A viewer's name; nobody is nameless."""
    return clean(raw, LONGEST_NAME).text or NOBODY


def _kept(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for place, char in enumerate(text):
        category = unicodedata.category(char)
        if char == JOINER:
            if kept and _pictured(kept[-1]) and _pictured(text[place + 1 : place + 2]):
                kept.append(char)
            continue
        if char in SELECTORS:
            continue
        if char in BLANK or category in ("Zs", "Zl", "Zp") or char.isspace():
            char, category = " ", "Zs"
        elif category in ("Cc", "Cf", "Cs", "Co") or _never_a_character(char):
            continue
        marks = marks + 1 if category[0] == "M" else 0
        if marks <= MARKS:
            kept.append(char)
    return "".join(kept)


def _pictured(char: str) -> bool:
    """Whether a joiner beside `char` is part of an emoji."""
    return bool(char) and (char in SKIN or char == EMOJI_STYLE or unicodedata.category(char) == "So")


def _never_a_character(char: str) -> bool:
    code = ord(char)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
