"""How fast a model turns out to be: what decides whether its first words need somebody else's help."""

from __future__ import annotations

from dataclasses import dataclass

NEWEST = 0.3  # the newest answer's share of what is known
PIECES = 1.3  # tokens a word of English, about
ENOUGH = 12  # pieces of an answer; later ones wait for her voice, not for the model


@dataclass(slots=True)
class Pace:
    """Seconds to a model's first piece and between two, smoothed over its answers; None: not seen yet."""

    first: float | None = None
    each: float | None = None

    def until(self, words: int) -> float | None:
        """Seconds until `words` words of an answer are there."""
        if self.first is None or self.each is None:
            return None
        return self.first + words * PIECES * self.each

    def note(self, first: float, each: float | None) -> None:
        """An answer took `first` seconds to begin, `each` between two pieces (None: it had only one)."""
        self.first = _smooth(self.first, first)
        if each is not None:
            self.each = _smooth(self.each, each)


@dataclass(slots=True)
class Watch:
    """The beginning of one answer, that was `asked` for at some second."""

    asked: float
    began: float = 0.0
    last: float = 0.0
    pieces: int = 0

    def piece(self, now: float) -> None:
        """A piece of text has come."""
        if self.pieces < ENOUGH:
            self.began, self.last = (self.began or now), now
            self.pieces += 1

    def tell(self, pace: Pace) -> None:
        """Add what was seen to `pace`."""
        if self.pieces:
            each = (self.last - self.began) / (self.pieces - 1) if self.pieces > 1 else None
            pace.note(self.began - self.asked, each)


def _smooth(known: float | None, newest: float) -> float:
    return newest if known is None else known + NEWEST * (newest - known)
