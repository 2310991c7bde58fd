"""The token that VTube Studio gave us when its user pressed "Allow": one file for each address."""

from __future__ import annotations

import os
import re
from pathlib import Path


class TokenFile:
    """Readable by its owner only. `folder` empty: the user's state folder (XDG base directories)."""

    def __init__(self, address: str, folder: str = "") -> None:
        state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        home = Path(folder) if folder else Path(state) / "spark-vtuber"
        name = re.sub(r"[^A-Za-z0-9.]+", "-", address.split("://")[-1]).strip("-")
        self.path = home.expanduser() / f"vtube-studio-{name}.token"

    def read(self) -> str:
        """The token, or ""."""
        try:
            return self.path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def write(self, token: str) -> None:
        """Keep it; replaced in one step, so that two shows cannot mix their halves. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token)
        fresh.replace(self.path)

    def forget(self) -> None:
        """It is of no use any more."""
        self.path.unlink(missing_ok=True)
