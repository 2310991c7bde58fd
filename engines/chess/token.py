"""The one secret of the board's page and of its votes: kept, so that OBS's saved address works for good."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from engines.chess.options import Missing
from engines.folders import state


def token_path(configured: str) -> Path:
    """As configured, or in the user's state folder; glue/games/chess_chat.py reads it there."""
    return Path(configured or state() / "chess-token").expanduser()


def kept_token(path: Path) -> str:
    """The token of this user, made at the first start. Raises Missing where it cannot be kept."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists() and (token := path.read_text(encoding="ascii").strip()):
            path.chmod(0o600)
            return token
        token = secrets.token_urlsafe(24)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"{token}\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Missing(
            f"chess: {path} cannot be used ({error}); cure: chess.engine.token_file=PATH"
        ) from error
    return token
