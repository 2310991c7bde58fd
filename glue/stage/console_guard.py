"""Who may open the operator's pages: the token, its cookie, and the Host and Origin that a request names."""

import os
import re
import secrets
from collections.abc import Collection
from pathlib import Path

from starlette.requests import HTTPConnection

from glue.errors import ConfigError
from glue.folders import state

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")
YEAR = 365 * 86400  # seconds


def token_path(configured: str) -> Path:
    """Where the token is kept: as configured, or in the user's state folder."""
    return state("console-token", configured)


def kept_token(path: Path, key: str = "console.token_file") -> str:
    """The token of this user, made at the first start, so that OBS's saved address works for good.

    Raises ConfigError, with the `key` that configures it, where it can neither be read nor written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists() and (token := path.read_text(encoding="ascii").strip()):
            path.chmod(0o600)
            return token
        token = secrets.token_urlsafe(24)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(token + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{key}: {path} cannot be used ({error})") from error
    return token


class Guard:
    """Says why a request may not pass. `token` is the one secret; `port` names the cookie; `names` are hosts
    that a tunnel serves these pages under, beside this machine's own."""

    def __init__(self, token: str, port: int, names: Collection[str] = ()) -> None:
        self._token = token.encode()
        self._names = {name.casefold() for name in names}
        self.cookie = f"spark_{port}"  # cookies do not know ports: two shows would share one

    def refuses(self, request: HTTPConnection) -> str:
        """One line with the reason, or "" for a welcome request."""
        host = request.headers.get("host", "")
        if not HOST.fullmatch(host) and host.casefold() not in self._names:
            # a name that DNS points here (rebinding) is not ours
            return (
                "this page is only served on 127.0.0.1 or localhost (through ssh -L from another PC), "
                "and under console.names"
            )
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return "another page may not use this one"
        if not self._known(request.query_params.get("token")) and not self._known(self._kept(request)):
            return "the address lacks its ?token=...; use the one that the show prints when it starts"
        return ""

    def cookie_header(self) -> str:
        """Set-Cookie for a page that came with the token in its address."""
        value = self._token.decode()
        return f"{self.cookie}={value}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Strict"

    def _kept(self, request: HTTPConnection) -> str | None:
        return request.cookies.get(self.cookie)

    def _known(self, token: str | None) -> bool:
        return token is not None and secrets.compare_digest(token.encode("utf-8", "replace"), self._token)
