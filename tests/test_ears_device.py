"""A microphone of this machine, on a scripted sounddevice: it hears, is unplugged, and is found again."""

import sys
from collections.abc import AsyncIterator, Callable
from types import ModuleType
from typing import Any

import anyio
import numpy as np
import pytest

from glue.closing import closing
from glue.errors import ConfigError
from glue.events import Event, LineArrived, PartDegraded, PartRecovered
from glue.ports import Pcm, Words
from glue.senses import ears_device
from glue.senses.ears_device import DeviceEars

pytestmark = pytest.mark.anyio


class PortAudioError(Exception):
    """As sounddevice calls it."""


class Device:
    """What every stream of the scripted module is on: `hears[n]` blocks after the nth opening, then its plug
    is pulled; None: it cannot be opened."""

    def __init__(self, *hears: int | None) -> None:
        self.hears = list(hears)
        self.open = 0
        self.asked: list[dict[str, Any]] = []


def scripted(device: Device) -> ModuleType:
    class InputStream:
        def __init__(self, callback: Callable[..., None], **asked: Any) -> None:
            device.asked.append(asked)
            self.callback = callback
            device.open += 1

        def start(self) -> None:
            blocks = device.hears.pop(0) if device.hears else None
            if blocks is None:
                raise PortAudioError("Error opening InputStream:\nDevice unavailable")
            for number in range(blocks):
                self.callback(np.full((320, 1), 7 + number, np.int16), 320, None, None)

        def abort(self) -> None:
            raise PortAudioError("it is gone")

        def close(self) -> None:
            device.open -= 1

    module = ModuleType("sounddevice")
    module.__dict__.update(InputStream=InputStream, PortAudioError=PortAudioError)
    return module


class Ears:
    """Understands a word in every block."""

    def __init__(self) -> None:
        self.heard: list[Pcm] = []

    async def listen(self, sound: AsyncIterator[Pcm]) -> AsyncIterator[Words]:
        async with closing(sound) as blocks:
            async for pcm in blocks:
                self.heard.append(pcm)
                yield Words("hello", True)


async def test_an_unplugged_microphone_is_told_of_and_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Device(2, None, None, 1)
    monkeypatch.setitem(sys.modules, "sounddevice", scripted(device))
    monkeypatch.setattr(ears_device, "GONE", 0.05)
    monkeypatch.setattr(ears_device, "FIRST", 0.01)
    ears, events = Ears(), list[Event]()
    with anyio.fail_after(30):
        async with DeviceEars(ears, "USB") as sense, closing(sense.events()) as happened:
            async for event in happened:
                events.append(event)
                if isinstance(event, LineArrived) and PartRecovered in map(type, events):
                    break
    kinds = [LineArrived, LineArrived, PartDegraded, PartRecovered, LineArrived]
    assert [type(event) for event in events] == kinds
    assert isinstance(events[2], PartDegraded) and events[2].part == "microphone"
    assert device.open == 0 and len(device.asked) == 4
    assert [pcm.tolist() for pcm in ears.heard] == [[number] * 320 for number in (7, 8, 7)]
    assert device.asked[0]["device"] == "USB" and device.asked[0]["samplerate"] == 16_000


async def test_of_what_waits_for_slow_ears_the_newest_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ears_device, "GONE", 0.05)
    monkeypatch.setitem(sys.modules, "sounddevice", scripted(Device(ears_device.WAITING + 20)))
    with anyio.fail_after(30):
        async with DeviceEars(ears := Ears()) as sense, closing(sense.events()) as happened:
            async for event in happened:
                if isinstance(event, PartDegraded):
                    break
    assert [int(pcm[0]) for pcm in ears.heard] == list(range(27, 27 + ears_device.WAITING))


async def test_one_that_cannot_be_opened_at_the_start_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", scripted(Device()))
    with pytest.raises(ConfigError, match=r"ears\.device: Error opening InputStream: Device unavailable; uv"):
        await DeviceEars(Ears()).__aenter__()


async def test_without_portaudio_the_cure_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(ConfigError, match="uv sync --all-extras --inexact"):
        await DeviceEars(Ears()).__aenter__()
