"""Where the memory's files lie."""

import os
from pathlib import Path


def place(folder: str) -> Path:
    """`folder`, or the one in the user's data folder."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share"
    return Path(folder or Path(data) / "spark-vtuber/memory").expanduser()
