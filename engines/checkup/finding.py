"""One line of the doctor's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """bad is what the config needs and is not there; warn is worth knowing."""

    what: str
    verdict: Verdict
    seen: str
    cure: str = ""
