"""For authors of integrations: be the AI by hand, record a session, play it again.

python -m glue.games.console                            a game connects to ws://localhost:8000; type actions
python -m glue.games.console --record session.jsonl     the same, and every frame is kept in a new file
python -m glue.games.console --replay session.jsonl     the AI's side of a recording, to a game that connects
python -m glue.games.console --replay session.jsonl --to ws://localhost:8000    the game's side, to a show
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import anyio
import anyio.lowlevel

from glue.errors import ConfigError
from glue.games.byhand import ByHand
from glue.games.recording import BadRecording, Frame, load, write
from glue.games.replay import Answers, play_game
from glue.games.server import Server, Tap, bound


def main() -> None:
    """Exit 1 with one line where it cannot start."""
    parser = argparse.ArgumentParser(
        prog="python -m glue.games.console",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--name", default="Spark", help="what the game is told that she is called")
    parser.add_argument("--record", type=Path, metavar="FILE")
    parser.add_argument("--replay", type=Path, metavar="FILE")
    parser.add_argument("--to", metavar="URL", help="with --replay: be the game, and play to this server")
    parser.add_argument("--speed", type=float, default=1.0, help="with --to: so many times as fast")
    options = parser.parse_args()
    if options.speed <= 0 or (options.to and not options.replay):
        parser.exit(2, "--speed must be positive, and --to needs --replay FILE\n")
    try:
        anyio.run(run, options)
    except (ConfigError, BadRecording) as error:
        parser.exit(1, f"{error}\n")
    except OSError as error:
        parser.exit(1, f"{error.filename or options.to}: {error.strerror or error}\n")
    except KeyboardInterrupt:
        parser.exit(130)


def say(text: str) -> None:
    """A line on stdout."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def run(options: argparse.Namespace) -> None:
    """One of the three."""
    frames: list[Frame] = []
    if options.replay:
        with options.replay.open(encoding="utf-8") as file:
            frames = load(file)
    if options.to:
        await play_game(frames, options.to, options.speed, say)
        return
    with ExitStack() as stack:
        await serve(options, frames, _tap(options.record, stack))


def _tap(path: Path | None, stack: ExitStack) -> Tap:
    """What keeps every frame, where they are to be kept."""
    if path is None:
        return lambda side, frame: None
    try:
        file = stack.enter_context(path.open("x", encoding="utf-8"))
    except FileExistsError as error:
        raise ConfigError(f"{path}: a session is kept there already; cure: --record ANOTHER FILE") from error
    begun = anyio.current_time()
    return lambda side, frame: write(file, Frame(anyio.current_time() - begun, side, frame))


async def serve(options: argparse.Namespace, frames: list[Frame], tap: Tap) -> None:
    """Be the AI, by hand or from a recording, until standard input ends or /quit."""
    hand = ByHand(say)
    answers = Answers(frames, hand, say) if options.replay else None
    async with (
        Server(answers or hand, {"main": options.name}, tap=tap).serving(
            bound("127.0.0.1", options.port)
        ) as port,
        anyio.create_task_group() as tg,
    ):
        say(f"waiting for a game; NEURO_SDK_WS_URL=ws://localhost:{port}\n{hand.help}")
        if answers is not None:
            tg.start_soon(answers.run)
        async for text in typed(0):
            if not hand.command(text):
                break
        tg.cancel_scope.cancel()


async def typed(fd: int) -> AsyncIterator[str]:
    """Lines of standard input, without a thread that waits for one when everything else has ended."""
    pending = b""
    while True:
        try:
            await anyio.wait_readable(fd)
        except PermissionError:  # plain files and /dev/null never make anyone wait
            await anyio.lowlevel.checkpoint()
        chunk = os.read(fd, 4096)
        *lines, pending = (pending + chunk).split(b"\n")
        for each in lines if chunk else [pending]:
            yield each.decode("utf-8", "replace").strip()
        if not chunk:
            return


if __name__ == "__main__":
    main()
