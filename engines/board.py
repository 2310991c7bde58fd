"""Tells people what becomes of the engines: a line a change."""

from __future__ import annotations

from rich.console import Console

from engines.keeper import State

WORDS: dict[State, str] = {"starting": "starting", "up": "up", "down": "down, restarting"}


class Board:
    """Prints an engine's changes of state; `notify` is a process.Notify."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def notify(self, name: str, state: State, why: str) -> None:
        """One line."""
        line = f"{name}: {WORDS[state]}" + (f" ({why})" if why else "")
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
