"""Progress of fetching and checking: bars on a terminal, one line a file where nobody watches."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


def say(console: Console, line: str) -> None:
    """A line; above the bars, where some are shown there."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


class Bars:
    """A live display while it is entered."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    @property
    def console(self) -> Console:
        """Where it is shown."""
        return self._console

    def add(self, what: str, size: int) -> Bar:
        """A bar for `size` bytes."""
        if not self._console.is_terminal:
            self.say(f"{what} ({size / 1e6:.1f} MB)")
        return Bar(self._progress, self._progress.add_task(what, total=size))

    def say(self, line: str) -> None:
        """A line above the bars."""
        say(self._console, line)


class Bar:
    """One line of the display."""

    def __init__(self, progress: Progress, task: object) -> None:
        self._progress = progress
        self._task = progress.task_ids[-1]

    def at(self, done: float) -> None:
        """`done` bytes are there."""
        self._progress.update(self._task, completed=done)

    def more(self, count: int) -> None:
        """`count` bytes more are there."""
        self._progress.advance(self._task, count)

    def remove(self) -> None:
        """Take the line away."""
        self._progress.remove_task(self._task)
