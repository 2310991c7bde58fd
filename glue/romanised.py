"""Foreign scripts in letters that a voice can read; captions keep what was written.

An English voice spells 今日 as "Chinese letter, Chinese letter" and takes 20 s for a clause of that."""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

# Languages whose voices read a script of their own (ISO 639), or Latin letters that others have not.
OWN_SCRIPT = frozenset(
    "am ar as be bg bn cmn dv el fa gu he hi hy ja ka kk km kn ko ky lo mk ml mn mr my ne or pa ps ru si sr"
    " ta te tg th ug uk ur vi yi yue zh".split()
)
FULL_WIDTH = ("\u3000", "\u303f"), ("\uff00", "\uffef")  # punctuation of East Asian text
LAUGHS = re.compile("[\u314b\u314e]{2,}")  # Korean, by letters: "kkk" and "hhh" are something else
SIGN = re.compile("(?<![\u0370-\u03ff])[\u0370-\u03ff](?![\u0370-\u03ff])")  # of mathematics, as in 2π
QUOTES = str.maketrans({"\u300c": '"', "\u300d": '"', "\u300e": '"', "\u300f": '"'})
LEFT = ("LATIN", "MICRO", "MASCULINE", "FEMININE")  # what a voice of Latin letters reads, up to ...
LAST = "\u02af"  # ... here: behind it are letters for experts, and a printer's ligatures


def romanised(text: str, language: str) -> str:
    """`text` as a voice of `language` ("en-US") can read it; as it is where that has a script of its own.
    Chinese characters are given as Mandarin says them, whatever language they stand in."""
    if text.isascii() or re.split("[-_]", language)[0].lower() in OWN_SCRIPT:
        return text
    whole = LAUGHS.sub("haha", unicodedata.normalize("NFC", text)).translate(QUOTES)
    signs = {found.start() for found in SIGN.finditer(whole)}
    return "".join(char if at in signs else _readable(char) for at, char in enumerate(whole))


def _readable(char: str) -> str:
    name, kind = unicodedata.name(char, "LATIN"), unicodedata.category(char)
    wide = any(first <= char <= last for first, last in FULL_WIDTH)
    read = char.isascii() or (char <= LAST and name.startswith(LEFT))
    if read or not (wide or (kind[0] in "LMN" and kind != "No")):
        return char
    if name.startswith("COMBINING"):
        return ""
    roman: str = anyascii(char)
    return roman.lower() if char.upper() == char.lower() else roman  # "JinRi" would be read as two words
