"""Tells of the engines' ups and downs: people in a line each, and whoever listens."""

from __future__ import annotations

from rich.console import Console

from engines.keeper import Notify, State

WORDS: dict[State, str] = {"starting": "starting", "up": "up", "down": "down, restarting"}


class Board:
    """Prints an engine's changes of state and hands them on; `notify` is a process.Notify."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._listeners: list[Notify] = []

    def listen(self, listener: Notify) -> None:
        """Tell this one too, from now on."""
        self._listeners.append(listener)

    def say(self, line: str) -> None:
        """A line for people."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def notify(self, name: str, state: State, why: str) -> None:
        """An engine changed."""
        line = f"{name}: {WORDS[state]}" + (f" ({why})" if why else "")
        self.say(line)
        for listener in self._listeners:
            listener(name, state, why)
