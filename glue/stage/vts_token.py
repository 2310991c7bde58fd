"""The token that VTube Studio gave us when its user pressed "Allow": one file for each address."""

from __future__ import annotations

import re

from glue.folders import put, state


class TokenFile:
    """Readable by its owner only. `folder` empty: the user's state folder."""

    def __init__(self, address: str, folder: str = "") -> None:
        name = re.sub(r"[^A-Za-z0-9.]+", "-", address.split("://")[-1]).strip("-")
        self.path = state("", folder) / f"vtube-studio-{name}.token"

    def read(self) -> str:
        """The token, or ""."""
        try:
            return self.path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def write(self, token: str) -> None:
        """Keep it. Raises OSError."""
        put(self.path, token)

    def forget(self) -> None:
        """It is of no use any more."""
        self.path.unlink(missing_ok=True)
