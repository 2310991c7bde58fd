"""A host that was giving and falls silent is waited for; one that never gave is not."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engines import download
from engines.addresses import SourceFailed
from engines.download import OUTAGE_SECONDS, PAUSE_AT_MOST, Downloader
from engines.fetch import fetch
from engines.manifest import MODELS
from engines.model import File, Model, Url
from tests.file_server import FileServer, serving

CONTENT = random.Random(7).randbytes(300_000)


class Clock:
    """Stands for the module `time`: whoever sleeps is there at once, and `then` looks at what time it is."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.then: Callable[[float], None] = lambda now: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.then(self.now - 1000.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(download, "time", clock)
    return clock


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving({"model.bin": CONTENT}) as running:
        yield running


@pytest.mark.parametrize("way", ["outage", "unwell"])
def test_an_outage_of_minutes_is_waited_for(
    server: FileServer, tmp_path: Path, clock: Clock, way: str
) -> None:
    clock.then = lambda passed: server.gate.set() if passed > OUTAGE_SECONDS - PAUSE_AT_MOST else None
    said: list[str] = []
    down, target = Downloader(say=said.append), tmp_path / "model.bin"
    down.download(f"{server.address}/{way}/model.bin", target, lambda *_: None)
    down.close()
    assert target.read_bytes() == CONTENT
    assert said == ["127.0.0.1 gives nothing any more: trying again for up to 5 minutes"]
    pauses = [each for each in clock.slept if each]
    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0] and max(pauses) == PAUSE_AT_MOST
    assert all(wanted.startswith("bytes=") for wanted in server.ranges(f"/{way}/model.bin")[1:])


@pytest.mark.parametrize("way", ["away", "busy"])
def test_an_outage_between_two_models_is_waited_for(
    server: FileServer, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path))
    clock.then = lambda passed: server.gate.set() if passed > OUTAGE_SECONDS - PAUSE_AT_MOST else None
    for name, how in (("one", "whole"), ("two", way)):
        url = Url(f"{server.address}/{how}/model.bin")
        file = File("model.bin", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), (url,))
        monkeypatch.setitem(MODELS, name, Model(name, "a toy", "none", (file,)))
    fetch(["one", "two"])
    assert (tmp_path / "two" / "model.bin").read_bytes() == CONTENT


def test_one_that_stays_silent_is_given_up_and_not_waited_for_twice(
    server: FileServer, tmp_path: Path, clock: Clock
) -> None:
    down, part = Downloader(), tmp_path / "part"
    address = f"{server.address}/outage/model.bin"
    with pytest.raises(SourceFailed, match=r"broke off at \d+ bytes and gave no more"):
        down.download(address, part, lambda *_: None)
    waited = clock.now - 1000.0
    assert OUTAGE_SECONDS <= waited <= OUTAGE_SECONDS + PAUSE_AT_MOST
    with pytest.raises(SourceFailed, match="no answer before"):
        down.download(address, part, lambda *_: None)
    down.close()
    assert clock.now - 1000.0 == waited and 0 < part.stat().st_size < len(CONTENT)


def test_one_that_never_gave_a_byte_is_given_up_within_seconds(
    server: FileServer, tmp_path: Path, clock: Clock
) -> None:
    down, target = Downloader(), tmp_path / "model.bin"
    with pytest.raises(SourceFailed, match="broke off at 0 bytes"):
        down.download(f"{server.address}/mute/model.bin", target, lambda *_: None)
    down.close()
    assert clock.now - 1000.0 < 10
