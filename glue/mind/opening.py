"""The first words of a reply, by a small model: which of them may be heard already, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass, field

from glue.ports import Sampled

SENTENCE = (".", "!", "?")


@dataclass(slots=True)
class Opening:
    """Words as they stream in; each is handed out when it is whole, and what stands between two with the
    second: behind the last one the main model may go on with a comma."""

    _text: str = ""
    _given: int = 0  # characters of it that were handed out
    _known: bool = True  # the tokens of every piece so far are, and nothing of it was left out
    _ids: list[int] = field(default_factory=list)  # of the pieces, as long as they are known
    _ends: dict[int, int] = field(default_factory=dict)  # characters of the text: tokens that they are

    @property
    def text(self) -> str:
        """What the main model is to continue: whole words, without a space at the end."""
        return self._whole().rstrip()

    @property
    def ids(self) -> tuple[int, ...]:
        """The tokens that `text` is, exactly; none where it ends within one, or they are not known."""
        return tuple(self._ids[: self._ends.get(len(self.text), 0)])

    def feed(self, piece: str) -> str:
        """Take more of the small model's answer; what may be spoken now."""
        exactly = self._text + piece
        for char in piece:
            self._take(" " if char.isspace() else char)
        self._known = self._known and self._text == exactly
        if self._known and isinstance(piece, Sampled):
            self._ids += piece.ids
            self._ends[len(self._text)] = len(self._ids)
        elif piece:
            self._known = False
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
