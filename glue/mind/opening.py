"""The first words of a reply, by a small model: which of them may be heard already, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass

SENTENCE = (".", "!", "?")


@dataclass(slots=True)
class Opening:
    """Words as they stream in; each is handed out when it is whole, and what stands between two with the
    second: behind the last one the main model may go on with a comma."""

    _text: str = ""
    _given: int = 0  # characters of it that were handed out

    @property
    def text(self) -> str:
        """What the main model is to continue: whole words, without a space at the end."""
        return self._whole().rstrip()

    def feed(self, piece: str) -> str:
        """Take more of the small model's answer; what may be spoken now."""
        for char in piece:
            self._take(" " if char.isspace() else char)
        return self.rest()

    def end(self) -> None:
        """The small model says no more; its last word counts if it ends a sentence, else it may be half."""
        if self._text.endswith(SENTENCE):
            self._take(" ")

    def rest(self) -> str:
        """What was not handed out yet of `text`."""
        until = len(self.text)
        given, self._given = self._text[self._given : until], max(self._given, until)
        return given

    def _take(self, char: str) -> None:
        if char != " " or (self._text and not self._text.endswith(" ")):
            self._text += char

    def _whole(self) -> str:
        """Without the word that is being written."""
        return self._text[: self._text.rfind(" ") + 1]
