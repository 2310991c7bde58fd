"""Personal data and links in a text: found by their shape, and named instead of repeated. Pure.

Cards are checked by Luhn's sum, numbers of people by their length, so that scores, dates and versions stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable

AT = r"(?:@|\s*[\[(]\s*at\s*[\])]\s*|\s+at\s+)"
DOT = r"(?:\.|\s*[\[(]\s*dot\s*[\])]\s*|\s+dot\s+)"
ENDINGS = (
    "com|net|org|info|biz|io|gg|tv|me|ly|co|uk|de|fr|es|it|nl|eu|ru|us|ca|xyz|online|site|top|club|shop|live|"
    "link|app|dev|to|cc|be|ws|example"
)
EMAIL = re.compile(
    rf"(?<![\w.+-])[\w.+-]{{1,64}}(?:\s+dot\s+\w+){{0,3}}{AT}\w[\w-]{{0,62}}(?:{DOT}\w+){{0,3}}{DOT}"
    rf"(?:{ENDINGS}|[a-z]{{2,10}})\b",
    re.IGNORECASE,
)
LINK = re.compile(
    rf"(?:\bhttps?\s*:\s*//\s*|\bwww\s*\.\s*)\S+"
    rf"|(?<![\w.-])(?:[a-z0-9][a-z0-9-]{{0,62}}\.){{1,5}}(?:{ENDINGS})\b(?:/\S*)?"
    rf"|(?<![\w-])[a-z0-9][a-z0-9-]{{0,62}}(?:\s+dot\s+|\s*[\[(]\s*dot\s*[\])]\s*)(?:{ENDINGS})\b"
    rf"(?:\s+slash\s+\S+|/\S*)?",
    re.IGNORECASE,
)
OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
IP = re.compile(
    rf"\b(?:{OCTET}\.){{3}}{OCTET}\b|\b(?:[0-9a-f]{{1,4}}:){{5,7}}[0-9a-f]{{1,4}}\b", re.IGNORECASE
)
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){3,7}(?:[ ]?[A-Z0-9]{1,3})?\b")
SOCIAL = re.compile(r"\b\d{3}[- ]\d{2}[- ]\d{4}\b")
WALLET = re.compile(r"\b(?:0x[0-9a-f]{40}|bc1[a-z0-9]{25,60})\b", re.IGNORECASE)
NUMBER = re.compile(r"(?<![\w.])\+?\(?\d(?:[\s().\-/]{0,2}\d){6,18}(?!\w)")
DATE = re.compile(r"\b\d{4}[-./]\d{1,2}[-./]\d{1,2}\b|\b\d{1,2}[-./]\d{1,2}[-./]\d{4}\b")
ROUND = re.compile(r"\d{1,3}(?:[ .,]\d{3})+")
DIGITS = "zero|oh|o|one|two|three|four|five|six|seven|eight|nine|double|triple"
SPOKEN = re.compile(rf"\b(?:(?:{DIGITS})\b[\s,.-]*){{7,}}", re.IGNORECASE)
ROADS = (
    "street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|ct|way|place|terrace|square|"
    "close|crescent"
)
ADDRESS = re.compile(
    rf"\b\d{{1,5}}[a-z]?\s+(?:[A-Z][\w'-]+\s+){{1,3}}(?:{ROADS})\b"
    r"|\b[A-ZÄÖÜ][\wäöüß-]*(?:straße|strasse|str\.|weg|gasse|allee|platz)\s+\d{1,4}\b"
    r"|\b\d{1,4},?\s+(?:rue|avenue|calle|via|plaza)\s+(?:de\s+|du\s+|la\s+)*[A-Z]\w+",
    re.IGNORECASE,
)
Check = Callable[[str], bool]


def _digits(found: str) -> str:
    return "".join(c for c in found if c.isdigit())


def _of_a_person(found: str) -> bool:
    """A phone's or a card's number: grouped by signs or blanks, or long; no date and no round score."""
    bare, digits = found.strip(), _digits(found)
    round_score = ROUND.fullmatch(bare) and digits.endswith("000")
    if DATE.fullmatch(bare) or round_score or set(digits[1:]) == {"0"}:
        return False
    if any(c in "-().+/ " for c in bare):
        return 7 <= len(digits) <= 19
    return 10 <= len(digits) <= 13 or (len(digits) == 16 and luhn(digits))


def luhn(digits: str) -> bool:
    """The check sum of card numbers (ISO/IEC 7812)."""
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _any(found: str) -> bool:
    return True


SHAPES: tuple[tuple[str, re.Pattern[str], Check], ...] = (
    ("an email", EMAIL, _any),
    ("a link", LINK, _any),
    ("an IP", IP, _any),
    ("an account number", IBAN, lambda found: len(_digits(found)) >= 8),
    ("a wallet", WALLET, _any),
    ("a number", SOCIAL, _any),
    ("a number", NUMBER, _of_a_person),
    ("a number", SPOKEN, _any),
    ("an address", ADDRESS, _any),
)


def redact(text: str) -> tuple[str, str]:
    """`text` with such data named instead ("a link"), and what was found, "" for nothing."""
    found: dict[str, None] = {}
    for what, shape, check in SHAPES:

        def named(match: re.Match[str], what: str = what, check: Check = check) -> str:
            if not check(match[0]):
                return match[0]
            found[what] = None
            tail = " " if match[0][-1:].isspace() else ""
            return what + tail

        text = shape.sub(named, text)
    return text, ", ".join(found)
