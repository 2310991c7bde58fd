"""Her eyes in a show: an X11 screen, a remark in virtual time; and what fetches their models."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import numpy as np
import pytest
import trio.testing
from rich.console import Console

from engines import cache
from engines.bundle.errors import BundleError
from engines.vision import build
from glue.director import Director
from glue.errors import Unreachable
from glue.events import Ending, Event, LineClosed, Source, TurnEnded, TurnStarted
from glue.senses.frames import Screen
from glue.senses.sight import Picture
from glue.settings import DirectorSettings
from glue.show import Show
from glue.sight_events import Seen
from tests.core import Scene, line
from tests.hub_server import serving
from tests.obs_peer import screen

VIRTUAL = ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})


@pytest.fixture
def display() -> Iterator[str]:
    """An X server of its own."""
    with screen("320x240x24") as display:
        yield display


def look(seconds: float = 30.0) -> Picture:
    """The screen's picture, as soon as the server has one."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = Screen(1).next(160)
        except Unreachable:
            assert time.monotonic() < deadline
            continue
        assert found is not None
        return found


def test_an_x11_screen_is_looked_at(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", display)
    found = look()
    assert found.shape == (120, 160, 3) and found.dtype == np.uint8
    with pytest.raises(Unreachable, match=r"no screen 7; cure: eyes\.source=screen"):
        Screen(7).next(160)


@dataclass
class Notes:
    """A viewer that keeps everything."""

    events: list[Event] = field(default_factory=list)

    def show(self, event: Event) -> None:
        self.events.append(event)


def nobody(how: float) -> None:
    """Neither muted nor ducked."""


class Quiet:
    """A chat in which nobody says anything for 20 seconds."""

    async def events(self) -> AsyncIterator[Event]:
        await anyio.sleep(20)
        for event in list[Event]():
            yield event


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", [VIRTUAL])
async def test_what_she_sees_becomes_a_remark_that_closes_no_line() -> None:
    scene, notes = Scene(), Notes()
    director = Director(["main"], DirectorSettings(glance=3, lonely=100))
    show = Show(
        {"main": scene.member()}, director, [notes], scene.settings, nobody, nobody, ends_with_chat=True
    )
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        tg.start_soon(show.run, [Quiet()])
        await anyio.sleep(1)
        show.take(Seen(anyio.current_time(), "screen", ("GAME OVER",)))
        await anyio.sleep(19.5)
        tg.cancel_scope.cancel()
    (start,) = [event for event in notes.events if isinstance(event, TurnStarted)]
    assert (start.line.source, start.line.text, start.line.author) == (Source.EYES, "GAME OVER", "")
    (end,) = [event for event in notes.events if isinstance(event, TurnEnded)]
    assert end.ending is Ending.FINISHED
    assert not [event for event in notes.events if isinstance(event, LineClosed)]
    assert line().source is not Source.EYES


def test_models_are_fetched_from_a_hub_under_the_names_that_the_server_wants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    wanted = build.Wanted("owner/name", (("onnx/text_model.onnx", "text.onnx"), ("tokenizer.json",) * 2))
    monkeypatch.setitem(build.MODELS, "detect", (wanted,))
    files = {"onnx/text_model.onnx": os.urandom(5000), "tokenizer.json": b"{}", "README.md": b"no"}
    quiet = Console(quiet=True)
    with serving(files) as hub:
        options = build.BuildOptions(hub=hub.address)
        folder = build.fetched("detect", options, quiet)
        assert folder == cache.root() / "vision-detect"
        assert (folder / "text.onnx").read_bytes() == files["onnx/text_model.onnx"]
        assert sorted(path.name for path in folder.iterdir()) == [build.FROM, "text.onnx", "tokenizer.json"]
        asked = len(hub.asked)
        build.fetched("detect", options, quiet)
        assert len(hub.asked) == asked  # what is there is left alone
        missing = build.Wanted("owner/name", (("model.onnx", "model.onnx"),))
        monkeypatch.setitem(build.MODELS, "detect", (missing,))
        hub.revisions.add("v2")
        with pytest.raises(BundleError, match=r"has no model\.onnx; cure"):
            build.fetched("detect", replace(options, revision="v2"), quiet)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [(["foo=1"], 2, "no option 'foo'; the options are: device, detect"), (["device=tpu"], 2, "device")],
)
def test_wrong_words_are_one_line(
    words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        build.main(words)
    assert caught.value.code == code and said in capsys.readouterr().err
