"""The sound device of this machine, on a scripted sounddevice: it is unplugged, told of, and opened again."""

import sys
from collections.abc import Callable
from functools import partial
from threading import Event as Flag
from threading import Thread
from types import ModuleType
from typing import Any

import anyio
import numpy as np
import pytest

from glue.events import Event, PartDegraded, PartRecovered
from glue.parts import Parts
from glue.stage import device as speaker
from glue.stage.device import SoundDevice
from tests.waiting import eventually

pytestmark = pytest.mark.anyio
RATE = 24000


class PortAudioError(Exception):
    """As sounddevice calls it."""


class Card:
    """What every stream of the scripted module is on."""

    def __init__(self) -> None:
        self.plugged = True
        self.open = self.refused = 0
        self.heard: set[int] = set()


def scripted(card: Card) -> ModuleType:
    class OutputStream:
        latency = 0.01

        def __init__(self, callback: Callable[..., None], **asked: Any) -> None:
            self.callback, self.ended = callback, Flag()
            self.thread = Thread(target=self.plays)
            card.open += 1

        def start(self) -> None:
            if not card.plugged:
                card.refused += 1
                raise PortAudioError("Device unavailable")
            self.thread.start()

        def plays(self) -> None:
            while not self.ended.wait(0.002):
                if card.plugged:
                    self.callback(out := np.zeros((48, 1), np.int16), 48, None, None)
                    card.heard |= set(out[:, 0].tolist())

        def abort(self) -> None:
            self.ended.set()
            if not card.plugged:
                raise PortAudioError("it is gone")

        def close(self) -> None:
            card.open -= 1

    module = ModuleType("sounddevice")
    module.__dict__.update(OutputStream=OutputStream, PortAudioError=PortAudioError)
    return module


class Notes:
    """A Viewer."""

    def __init__(self) -> None:
        self.told: list[Event] = []

    def show(self, event: Event) -> None:
        self.told.append(event)


async def test_an_unplugged_speaker_is_told_of_and_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    card, notes = Card(), Notes()
    monkeypatch.setitem(sys.modules, "sounddevice", scripted(card))
    monkeypatch.setattr(speaker, "GONE", 0.3)
    parts = Parts(viewers=[notes])
    async with SoundDevice(RATE) as device, anyio.create_task_group() as tg:
        parts.add(device)
        for task in parts.tasks:
            tg.start_soon(task)

        def hears(level: int) -> bool:
            device.play(np.full(240, level, np.int16), 0.0)
            return level in card.heard

        await eventually(partial(hears, 7))
        card.plugged = False
        await eventually(lambda: card.refused >= 2)
        assert device.latency() == 0 and card.open == 0
        card.plugged = True
        await eventually(partial(hears, 8))
        await eventually(lambda: len(notes.told) == 2)
        tg.cancel_scope.cancel()
    assert [type(event) for event in notes.told] == [PartDegraded, PartRecovered]
    assert all(isinstance(e, PartDegraded | PartRecovered) and e.part == "speaker" for e in notes.told)
    assert card.open == 0
