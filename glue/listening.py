"""Whom she listens to: one who speaks aloud is let finish, but not for ever. Pure, all times are given."""

from dataclasses import dataclass

from glue.settings import DirectorSettings


@dataclass(slots=True)
class Listening:
    """`until`: nobody is answered before; `heard`: the last word of anybody; `beside`: the reply in work was
    chosen because they do not stop, so that they do not stop it either."""

    until: float = float("-inf")
    heard: float = float("-inf")
    beside: bool = False
    _began: float = float("-inf")
    _last: float = float("-inf")  # the last word, while they have not finished

    def word(self, now: float, settings: DirectorSettings) -> None:
        """They speak."""
        if now > self._last + settings.listen:
            self._began, self.beside = now, False
        self.heard = self._last = now
        self.until = min(now + settings.listen, self._began + settings.listen_most)

    def finished(self, now: float) -> None:
        """They do not, and what they said is a line."""
        self.until, self._last = now, float("-inf")

    def chosen(self, now: float, settings: DirectorSettings) -> None:
        """Somebody is answered."""
        self.beside = now < self._last + settings.listen

    def answered(self, now: float, settings: DirectorSettings) -> None:
        """She has finished. Who spoke all the while has the floor again, for as long as before."""
        if self.beside:
            self.beside, self._began = False, now
            self.until = min(self._last + settings.listen, now + settings.listen_most)
