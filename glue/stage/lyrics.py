"""A song's lyrics: LRC, as song players write it -> what is sung when. Pure.

`[mm:ss.xx]words`, several times before the same words, `<mm:ss.xx>` before single words (their times are not
used), `[ti:...]` and other tags, of which `[offset:+250]` (milliseconds by which all comes sooner) counts.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from glue.errors import Refused

PART = "songs"
LARGEST = 256 * 1024  # bytes of a file
MOST = 2000  # lines that are sung
LONGEST = 160  # characters of a line
NAMED = 5  # faults that are told one by one
AT = r"(\d{1,3}):(\d{1,2})(?:[.:](\d{1,3}))?"
STAMP = re.compile(rf"\s*\[\s*{AT}\s*\]")
WORD_STAMP = re.compile(rf"<\s*{AT}\s*>")
TAG = re.compile(r"\s*\[\s*(?P<name>[^\W\d][^:\]]{0,30}):(?P<value>.*)\]\s*")
OFFSET = re.compile(r"\s*[+-]?\d{1,7}\s*")
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True, slots=True)
class Sung:
    """These words from `at` seconds on; "": nobody sings."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Lyrics:
    """What is sung, in order of time, each time once; and what is wrong with the file."""

    lines: tuple[Sung, ...] = ()
    wrong: tuple[str, ...] = ()


def lyrics(raw: bytes, seconds: float) -> Lyrics:
    """A file's lyrics for a song of `seconds`; what cannot be read is left out and told. Raises Refused for
    a file that is none."""
    if len(raw) > LARGEST:
        raise Refused(PART, f"it has more than {LARGEST >> 10} kB")
    faults: list[str] = []
    found: list[tuple[float, str]] = []
    offset = 0.0
    for number, row in enumerate(decoded(raw).splitlines(), 1):
        if not row.strip():
            continue
        times, words = _stamped(row)
        if times:
            found += [(at, words) for at in times]
        elif (tag := TAG.fullmatch(row)) is None:
            faults.append(f"line {number} has no time")
        elif tag["name"].strip().casefold() == "offset":
            if OFFSET.fullmatch(tag["value"]):
                offset = int(tag["value"]) / 1000
            else:
                faults.append(f"line {number}: an offset is a number of milliseconds")
    if not found:
        raise Refused(PART, "no line of it has a time, as in [01:23.45]words")
    inside = [(max(0.0, at - offset), words) for at, words in found]
    late = sum(at >= seconds for at, _ in inside)
    faults += [f"{late} of its times lie behind the song's end"] if late else []
    faults += [f"only the first {MOST} lines are shown"] if len(inside) - late > MOST else []
    told = faults if len(faults) <= NAMED else [*faults[:NAMED], f"and {len(faults) - NAMED} more"]
    return Lyrics(_merged([each for each in inside if each[0] < seconds]), tuple(told))


def decoded(raw: bytes) -> str:
    """The text, in whichever of the usual encodings it is. Never fails: in Latin-1 each byte is a letter."""
    for mark, encoding in MARKS.items():
        if raw.startswith(mark):
            return raw.decode(encoding, "replace")
    if raw[1:2] == b"\0" or raw[:1] == b"\0":  # half of plain letters' bytes, where nobody marked it
        return raw.decode("utf-16-le" if raw[1:2] == b"\0" else "utf-16-be", "replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace") if _printable(raw) else raw.decode("latin-1")


def _printable(raw: bytes) -> bool:
    """Whether no byte is one that Windows' Latin letters lack."""
    return not any(each in raw for each in (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d"))


def _stamped(row: str) -> tuple[list[float], str]:
    """The times before a row's words, and the words."""
    times: list[float] = []
    while stamp := STAMP.match(row):
        times.append(_seconds(stamp))
        row = row[stamp.end() :]
    shown = "".join(char if char.isprintable() else " " for char in WORD_STAMP.sub(" ", row))
    return times, " ".join(shown.split())[:LONGEST].rstrip()


def _seconds(stamp: re.Match[str]) -> float:
    minutes, seconds, part = stamp.groups()
    return 60 * int(minutes) + int(seconds) + (int(part) / 10 ** len(part) if part else 0.0)


def _merged(found: list[tuple[float, str]]) -> tuple[Sung, ...]:
    """In order; words of the same time (a translation, a second voice) stand together."""
    together: dict[float, list[str]] = {}
    for at, words in sorted(found, key=lambda each: each[0])[:MOST]:
        together.setdefault(at, []).append(words)
    return tuple(
        Sung(at, " / ".join(dict.fromkeys(filter(None, words)))[:LONGEST]) for at, words in together.items()
    )
