"""Which plugins may come in: the tokens that were given, as hashes, in a file that survives restarts."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines.avatar.inputs import Plugin
from engines.folders import state

MOST_OF_A_PLUGIN, MOST = 8, 512  # tokens; the oldest go first


def state_folder(configured: str) -> Path:
    """As configured, or ours among the user's."""
    return Path(configured).expanduser() if configured else state()


@dataclass(slots=True)
class Tokens:
    """Oldest first. Another puppet may use the same file: it is read again before a no and a change."""

    path: Path
    _given: list[tuple[Plugin, str]] = field(default_factory=list)  # plugin, SHA-256 of its token

    def grant(self, plugin: Plugin) -> str:
        """A new token of 64 ASCII characters; without a place to keep it, it holds until the end."""
        token = secrets.token_hex(32)
        self._read()
        self._given.append((plugin, _hash(token)))
        theirs = [given for given in self._given if given[0] == plugin]
        over = theirs[:-MOST_OF_A_PLUGIN]
        self._given = [given for given in self._given if given not in over][-MOST:]
        try:
            self._write()
        except OSError as error:
            sys.stderr.write(f"avatar: tokens cannot be kept in {self.path} ({error.strerror})\n")
        return token

    def knows(self, plugin: Plugin, token: str) -> bool:
        """Whether this token was given to this plugin."""
        if (plugin, _hash(token)) not in self._given:
            self._read()
        return (plugin, _hash(token)) in self._given

    def plugins(self) -> int:
        """How many have a token."""
        return len({plugin for plugin, _ in self._given})

    def _read(self) -> None:
        """Take over what the file has; a file that cannot be read, or is not ours, has nothing."""
        try:
            found = [_entry(item) for item in json.loads(self.path.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError, KeyError):
            return
        self._given = found + [given for given in self._given if given not in found]

    def _write(self) -> None:
        """Replaced in one step: a kill leaves the old file or the new one."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        items = [{"name": p.name, "developer": p.developer, "sha256": digest} for p, digest in self._given]
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(items, file, indent=1)
        fresh.replace(self.path)


def _hash(token: str) -> str:
    """A token is 256 random bits: a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _entry(item: Any) -> tuple[Plugin, str]:
    return Plugin(str(item["name"]), str(item["developer"])), str(item["sha256"])
