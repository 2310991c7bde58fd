"""Where word lists come from: the one that is shipped, the operator's files, the words in the config.

An operator's file is plain UTF-8 text, an entry a line, `#` begins a comment. It is read once, at the start.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from glue.errors import ConfigError
from glue.safety.phrases import Phrases

SHIPPED = Path(__file__).with_name("words.txt")
LARGEST = 50_000_000  # bytes of one file: beyond it, it is not a word list


@dataclass(frozen=True, slots=True)
class Lists:
    """`slurs`, `names` (that sound like something else), `slogans`: neither in nor out. `swears`: not out.
    `own`: the operator's, neither in nor out. `harmless` phrases are overlooked, whatever words they hold."""

    slurs: Phrases
    names: Phrases
    slogans: Phrases
    swears: Phrases
    own: Phrases
    harmless: re.Pattern[str]

    def without_harmless(self, text: str) -> str:
        """`text` without what only looks like a slur."""
        return self.harmless.sub(" ", text)


def load(files: Sequence[str] = (), blocked: Iterable[str] = (), swearing: bool = False) -> Lists:
    """The lists as the config has them. Raises ConfigError for a file that cannot be read."""
    parts = shipped()
    own = [entry for name in files for entry in read(Path(name))]
    return Lists(
        Phrases(parts["slurs"]),
        Phrases(parts["names"]),
        Phrases(parts["slogans"]),
        Phrases(() if swearing else parts["swears"]),
        Phrases([*own, *blocked]),
        re.compile(rf"\b(?:{'|'.join(parts['harmless'])})\b", re.IGNORECASE),
    )


def shipped() -> dict[str, list[str]]:
    """The shipped list's parts, decoded."""
    parts: dict[str, list[str]] = {}
    part = ""
    for line in SHIPPED.read_text(encoding="utf-8").splitlines():
        bare = line.partition("#")[0].strip()
        if bare.startswith("["):
            part = bare.strip("[]")
            parts[part] = []
        elif bare:
            parts[part].append(codecs.decode(bare, "rot13"))
    return parts


def read(path: Path) -> list[str]:
    """Entries of an operator's file. Raises ConfigError with the cure."""
    try:
        if path.stat().st_size > LARGEST:
            raise ConfigError(f"safety.lists: {path} is larger than 50 MB; cure: an entry a line, no more")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(f"safety.lists: {path} cannot be read ({why}); cure: correct the path") from error
    return [entry for line in text.splitlines() if (entry := line.partition("#")[0].strip())]
