"""Docker's command line: one question, one answer within a time, and for what it refuses the cure."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from subprocess import DEVNULL, PIPE

import anyio
from anyio.abc import ByteReceiveStream
from anyio.streams.text import TextReceiveStream

from engines.keeper import StartFailed
from engines.services import FILE

VERSION = ("docker", "info", "--format", "{{.ServerVersion}}")  # asks the daemon
COMPOSE_VERSION = ("docker", "compose", "version", "--short")
NEEDED = [2, 24]
ASK_SECONDS = 30.0  # one question to the Docker daemon
QUIET_SECONDS = 10.0  # between two lines of a long command that are told
KEPT = 200_000  # characters of an answer's end
ADVICE = re.compile(r"\s*(run '|see '|usage:|for more help)", re.IGNORECASE)
SECRETS = ("NGC_API_KEY", "HF_TOKEN")
# What Docker's words mean, the first that fits; they differ from release to release.
CURES = (
    ("permission denied", "sudo usermod -aG docker $USER, then log in again"),
    ("cannot connect|is the docker daemon running|connection refused", "sudo systemctl start docker"),
    (
        "unknown command|unknown flag|unknown shorthand|not a docker command",
        "install the plugin: sudo apt install docker-compose-plugin",
    ),
    (
        "unauthorized|denied|authentication required",
        "docker login nvcr.io -u '$oauthtoken', with NGC_API_KEY as password, and accept the image's terms on"
        " ngc.nvidia.com",
    ),
    (
        "manifest unknown|not found|no matching manifest",
        "another image tag in engines/compose.yaml, of vision in engines/vision/Dockerfile",
    ),
    ("no space left", "docker system prune, or a larger disk for /var/lib/docker"),
    ("could not select device driver|nvidia-container", "install NVIDIA's container toolkit, restart Docker"),
    ("address already in use|port is already allocated", "stop what has that port, or engines.start=false"),
    (
        r"timeout|no such host|network|temporary failure|\btls\b|\beof\b",
        "see that this machine reaches the network",
    ),
    (
        "failed to solve|did not complete successfully",
        "see what it says; engines.services without vision takes a child process instead",
    ),
)


async def there() -> None:
    """Raises StartFailed where Docker, its compose plugin or its daemon is missing."""
    if shutil.which("docker") is None:
        raise StartFailed(
            "docker is missing; cure: install Docker Engine, or engines.start=false, or stack=local"
        )
    old(await ask(COMPOSE_VERSION))
    await ask(VERSION)


def old(compose_version: str) -> None:
    """Raises StartFailed for a plugin that is older than the commands that are used of it."""
    numbers = [int(number) for number in re.findall(r"\d+", compose_version)[:2]]
    if numbers < NEEDED:
        needed = ".".join(map(str, NEEDED))
        raise StartFailed(
            f"Docker Compose is {compose_version.strip() or 'of no version'}, older than {needed};"
            " cure: sudo apt install docker-compose-plugin of Docker's own repository"
        )


async def compose(
    words: Sequence[str],
    within: float = ASK_SECONDS,
    say: Callable[[str], None] | None = None,
    more: Mapping[str, str] | None = None,
) -> str:
    """`docker compose` on compose.yaml; what it prints. `more` is what the file takes from the environment.

    Raises StartFailed."""
    return await ask(["docker", "compose", "-f", str(FILE), *words], within, say, more)


async def ask(
    argv: Sequence[str],
    within: float = ASK_SECONDS,
    say: Callable[[str], None] | None = None,
    more: Mapping[str, str] | None = None,
) -> str:
    """Run a command of Docker's; what it prints. `say` is told how a long one gets on.

    Raises StartFailed with its last line and the cure."""
    what = " ".join(word for word in argv[:5] if word not in ("-f", str(FILE)))
    out, errors = _Kept(), _Kept(say)
    try:
        with anyio.fail_after(within):
            code = await _run(argv, out, errors, os.environ | dict(more or {}))
    except TimeoutError as error:
        raise StartFailed(f"{what}: no answer within {within:.0f} s; cure: {cure(what)}") from error
    except OSError as error:
        raise StartFailed(f"{what}: {error.strerror}; cure: install Docker Engine") from error
    if code:
        said = hidden(errors.text.strip() or out.text.strip())
        raise StartFailed(f"{what}: {_point(said)}; cure: {cure(said)}")
    return hidden(out.text)


async def _run(argv: Sequence[str], out: _Kept, errors: _Kept, environment: Mapping[str, str]) -> int:
    """Its exit status. Cancelled, it is gone with its children: `docker compose` is one of `docker`'s."""
    async with await anyio.open_process(
        list(argv), stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=environment, start_new_session=True
    ) as process:
        assert process.stdout and process.stderr
        try:
            async with anyio.create_task_group() as tg:
                tg.start_soon(out.read, process.stdout)
                tg.start_soon(errors.read, process.stderr)
            return await process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def cure(said: str) -> str:
    """What to do about what Docker says."""
    found = (way for pattern, way in CURES if re.search(pattern, said, re.IGNORECASE))
    return next(found, "see what it says; sudo systemctl restart docker where it hangs")


def _point(said: str) -> str:
    """The last line that is no advice to read on."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not ADVICE.match(line)]
    return lines[-1][:300] if lines else "it gave no reason"


def hidden(text: str) -> str:
    """Without a secret of the environment's, should a container have logged it."""
    for name in SECRETS:
        secret = os.environ.get(name, "").strip()
        if len(secret) > 7:  # no key is that short, and "x" would hide every x
            text = text.replace(secret, f"${name}")
    return text


class _Kept:
    """The end of what a process writes; `say` is told its newest line, not more often than people read."""

    def __init__(self, say: Callable[[str], None] | None = None) -> None:
        self.text = ""
        self._say = say
        self._told = anyio.current_time()

    async def read(self, stream: ByteReceiveStream) -> None:
        async for piece in TextReceiveStream(stream, errors="replace"):
            self.text = (self.text + piece)[-KEPT:]
            if self._say and anyio.current_time() - self._told > QUIET_SECONDS:
                self._told = anyio.current_time()
                lines = hidden(self.text).strip().splitlines() or [""]
                self._say(f"... {lines[-1].strip()[:120]}")
