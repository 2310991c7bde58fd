"""Protected topics: what she takes no side in. The words come from the config, a list a topic. Pure.

A topic's word alone is harmless ("greetings from Ukraine"); with a question for her opinion it is bait, and
with a side taken she must not say it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from glue.safety.phrases import Phrases
from glue.safety.rule import about


class Topics:
    """The protected topics of a config: a name and its words."""

    def __init__(self, topics: Mapping[str, Sequence[str]]) -> None:
        self._asked, self._sided, self._harmless = (about(word) for word in ("asked", "sided", "harmless"))
        self._topics = {name: Phrases(entries) for name, entries in topics.items()}

    def named(self, text: str) -> str:
        """The topic that `text` touches, or ""."""
        return next((name for name, entries in self._topics.items() if entries.find(text)), "")

    def asked(self, text: str, plain: str) -> str:
        """The topic on which a line asks for her opinion, or ""."""
        if self._harmless.search(plain) or not self._asked.search(plain):
            return ""
        return self.named(text)

    def sided(self, text: str, plain: str) -> str:
        """The topic on which a clause takes a side, or ""."""
        if self._harmless.search(plain) or not self._sided.search(plain):
            return ""
        return self.named(text)
