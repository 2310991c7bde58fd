"""A game's words made safe for a prompt, a page and the journal: they are data, and never an instruction."""

import re
import unicodedata

from glue.template_marks import unmarked

BLANKS = re.compile(r"[ \t\f\v]+")
BREAKS = re.compile(r"\s*\n\s*")
CUT = " … "
ENDS = re.compile(r"[.!?](?=\s)")


def tidy(raw: str, longest: int) -> str:
    """`raw` without control and invisible characters and without the marks that chat templates are made of.
    Lines stay lines: states are Markdown. What is too long loses its middle."""
    text = raw if len(raw) <= 4 * longest else shorten(raw, 4 * longest)
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            char if char in "\n\t" or _shown(char) else " " for char in unicodedata.normalize("NFC", text)
        )
    return shorten(BREAKS.sub("\n", BLANKS.sub(" ", unmarked(text))).strip(), longest)


def line(raw: str, longest: int) -> str:
    """The same on one line."""
    return shorten(" ".join(tidy(raw, longest).split()), longest)


def beginning(text: str, longest: int) -> str:
    """The whole sentences of one line that `longest` characters hold; of a first that is longer, its part."""
    if len(text) <= longest:
        return text
    ends = [match.end() for match in ENDS.finditer(text, 0, longest + 1)]
    return text[: ends[-1]].rstrip() if ends else shorten(text, longest)


def shorten(text: str, longest: int) -> str:
    """At most `longest` characters: where a state is long, its beginning and its end say most."""
    if len(text) <= longest:
        return text
    if longest <= len(CUT):
        return text[:longest]
    head = (longest - len(CUT)) * 2 // 3
    return text[:head].rstrip() + CUT + text[len(text) - (longest - len(CUT) - head) :].lstrip()


def _shown(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
