"""What a reply and the desk's panel need of her memory; see ports.py."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from glue.events import ChatLine


class Memory(Protocol):
    """What she remembers."""

    async def recall(self, who: str, line: ChatLine) -> Sequence[str]:
        """What is worth knowing before answering `line`, some of it Facts; empty where there is nothing, or
        it is late."""
        ...


class Memories(Protocol):
    """What she remembers, as the operator sees and changes it. Entries are plain values with an `id`."""

    def found(self, words: str) -> list[dict[str, object]]:
        """The newest entries in which all of `words` stand: kind, persona, viewer, name (what that
        viewer is called), text, at (wall clock, seconds), ended (0: it holds)."""
        ...

    def amend(self, id: str, text: str) -> bool:
        """Put `text` in the place of an entry's; false where there is no such entry. Raises Refused."""
        ...

    def forget(self, id: str = "", viewer: str = "") -> int:
        """Leave no trace of an entry and the line that it was learnt from, or of a viewer; how many entries
        that were. Raises Refused for what she is."""
        ...

    def export(self) -> Iterator[bytes]:
        """Every entry as a line of JSON, some lines at a time; may be read in another thread."""
        ...

    async def take(self, data: bytes) -> int:
        """Add an export's entries, all or none; how many were new. Raises Refused: which lines are wrong."""
        ...
