"""Takes out what cannot be spoken, character by character: thoughts, tags, asides, markdown, emoji."""

from __future__ import annotations

import unicodedata

CLOSES = {"*": "*", "(": ")", "[": "]", "<": ">", "{": "}"}
DROPPED = set("*_`~#|\\{}[]<>^")
SAME = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u2026": "...", "\u00a0": " "}
)
ASIDE = 120  # characters that an aside may have; what is longer is text with a stray bracket
THOUGHT = "<think>"
HEART = "<3"


class Cleaner:
    """Feed characters, get what may be spoken; text inside an open bracket is held until it closes."""

    def __init__(self) -> None:
        self._open = ""  # the bracket that is held
        self._held = ""
        self._thinking = False
        self._fresh = True  # at the start of a sentence: an aside here is a stage direction

    def feed(self, char: str) -> str:
        """The speakable text that `char` completes; mostly itself, or nothing yet."""
        if self._thinking:
            self._held = (self._held + char)[-8:]
            if self._held == "</think>":
                self._thinking, self._held = False, ""
            return ""
        if self._open:
            return self._inside(char)
        if char in CLOSES:
            self._open, self._held = char, ""
            return ""
        return self._plain(char)

    def end(self) -> str:
        """What was still held when the text ended: an aside that never closed."""
        held, self._held = self._held, ""
        was, self._open = self._open, ""
        return "" if self._thinking or THOUGHT.startswith(was + held) else self._text(held)

    def _inside(self, char: str) -> str:
        if not self._held and self._no_aside(char):
            was, self._open = self._open, ""
            return "" if was + char in ("**", HEART) else self._plain(char)
        if char == CLOSES[self._open]:
            return self._close()
        self._held += char
        if self._open + self._held == THOUGHT[:-1]:
            self._thinking, self._open, self._held = True, "", ""
            return ""
        if len(self._held) > ASIDE or (char == "\n" and self._open != "("):
            held, self._open, self._held = self._held, "", ""
            return self._text(held)
        return ""

    def _no_aside(self, char: str) -> bool:
        """Whether the character after an opening one shows that it opens nothing: bold, "2 < 3", a heart."""
        if self._open == "*":
            return char in "* "
        return self._open == "<" and not (char.isalpha() or char in "/!")

    def _close(self) -> str:
        held, was = self._held, self._open
        self._open, self._held = "", ""
        if was in "<{[" or (was in "*(" and self._fresh):
            return ""
        return self._text(held)

    def _text(self, held: str) -> str:
        return "".join(map(self._plain, held))

    def _plain(self, char: str) -> str:
        if char in DROPPED or _mute(char):
            return ""
        char = " " if char in "\r\t" else char.translate(SAME)
        if not char.isspace():
            self._fresh = char[-1] in ".!?"
        return char


def _mute(char: str) -> bool:
    """Emoji, control and invisible characters, private use: nothing that a voice can say."""
    if char in "\r\n\t":
        return False
    category = unicodedata.category(char)
    return category in ("So", "Sk", "Cc", "Cf", "Co", "Cs", "Cn") and char not in "°©®™"
