"""The recording, read back by Python's own wave module: in real time, and whole after a kill."""

import logging
import struct
import subprocess
import sys
import wave
from pathlib import Path

import anyio
import numpy as np
import pytest
from trio.testing import MockClock

from glue.errors import ConfigError
from glue.stage.device import SoundDevice
from glue.stage.feed import MOST, Feed
from glue.stage.wav import WavFile, header

RATE = 24000
BLOCK = RATE // 100

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


def read(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def tone(value: int = 1000, blocks: int = 1) -> np.ndarray:
    return np.full(BLOCK * blocks, value, np.int16)


async def test_silence_stands_where_she_is_silent(tmp_path: Path) -> None:
    async with WavFile(tmp_path, RATE) as out:
        began = anyio.current_time()
        out.play(tone(), began + 1.0)
        out.play(tone(2000), began + 1.01)
        out.play(tone(3000), began + 60.0)
        await anyio.sleep(61)
    pcm = read(tmp_path / "audio.wav")
    assert pcm.size == 61 * RATE
    assert np.flatnonzero(pcm == 1000)[[0, -1]].tolist() == [RATE, RATE + BLOCK - 1]
    assert np.flatnonzero(pcm == 2000)[0] == RATE + BLOCK
    assert np.flatnonzero(pcm == 3000)[0] == 60 * RATE
    assert np.count_nonzero(pcm) == 3 * BLOCK
    assert (tmp_path / "audio.wav").stat().st_blocks * 512 < 61 * RATE  # the silence takes no disk


async def test_blocks_that_nearly_meet_are_joined(tmp_path: Path) -> None:
    async with WavFile(tmp_path, RATE) as out:
        began = anyio.current_time()
        for number in range(100):
            out.play(tone(), began + number * 0.01 + (number % 3 - 1) * 0.001)
    assert read(tmp_path / "audio.wav").tolist() == tone(blocks=100).tolist()


async def test_what_was_flushed_was_never_said(tmp_path: Path) -> None:
    async with WavFile(tmp_path, RATE) as out:
        began = anyio.current_time()
        for number in range(10):
            out.play(tone(), began + number * 0.01)
        out.flush(began + 0.035)
        out.play(tone(2000), began + 0.05)
        await anyio.sleep(0.1)
    pcm = read(tmp_path / "audio.wav")
    assert np.count_nonzero(pcm == 1000) == round(0.035 * RATE)
    assert np.flatnonzero(pcm == 2000)[0] == round(0.05 * RATE)


async def test_a_flush_of_nothing_changes_nothing(tmp_path: Path) -> None:
    async with WavFile(tmp_path, RATE) as out:
        out.play(tone(), anyio.current_time())
        out.flush(anyio.current_time() + 5)
    assert read(tmp_path / "audio.wav").size == BLOCK


def test_a_killed_show_leaves_a_file_that_plays(tmp_path: Path) -> None:
    program = f"""
import anyio, os, signal, numpy as np
from pathlib import Path
from glue.stage.wav import WavFile
async def main():
    async with WavFile(Path({str(tmp_path)!r}), {RATE}) as out:
        began = anyio.current_time()
        for number in range(555):
            out.play(np.full({BLOCK}, 1000, np.int16), began + number / 100)
        os.kill(os.getpid(), signal.SIGKILL)
anyio.run(main)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    assert done.returncode == -9
    pcm = read(tmp_path / "audio.wav")
    assert pcm.size == 5.5 * RATE  # the tenth of a second that was begun is lost
    assert (pcm == 1000).all()


def on_a_full_disk() -> WavFile:
    device = Path("/dev/full")
    if not device.exists():
        pytest.skip("this system has no /dev/full to stand for a full disk")
    out = WavFile(device.parent, RATE, device.name, save_every=0.01)
    out._file = device.open("r+b")  # __aenter__ would fail at once, which is another story
    return out


def test_a_full_disk_ends_the_recording_and_not_the_show(caplog: pytest.LogCaptureFixture) -> None:
    full = on_a_full_disk()
    with caplog.at_level(logging.ERROR):
        for number in range(200):
            full.play(tone(), number * 0.01)
    assert len(caplog.records) == 1
    assert caplog.records[0].message.startswith("the recording ends here")


async def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written: No such file"):
        async with WavFile(tmp_path / "none", RATE):
            pass


def test_the_header_counts_no_further_than_it_can() -> None:
    assert struct.unpack("<I", header(RATE, (1 << 32) - 45)[40:])[0] == (1 << 32) - 45
    assert len(header(RATE, 0)) == 44


def filled(feed: Feed, frames: int) -> np.ndarray:
    out = np.full(frames, 77, np.int16)
    feed.fill(out)
    return out


def test_a_feed_begins_when_its_cushion_is_full() -> None:
    feed = Feed(RATE, cushion=0.02)
    feed.put(tone())
    assert not filled(feed, 100).any()
    feed.put(tone(2000))
    feed.put(tone(3000))
    assert filled(feed, BLOCK + 10).tolist() == [1000] * BLOCK + [2000] * 10
    assert filled(feed, 3 * BLOCK).tolist() == [2000] * (BLOCK - 10) + [3000] * BLOCK + [0] * (BLOCK + 10)
    assert feed.queued == 0


def test_a_word_shorter_than_the_cushion_is_heard() -> None:
    feed = Feed(RATE, cushion=0.0)
    feed.put(tone())
    assert filled(feed, BLOCK).all()


def test_a_slow_card_loses_the_oldest_and_a_flush_takes_all() -> None:
    feed = Feed(RATE, cushion=0.01)
    for number in range(200):
        feed.put(tone(number + 1))
    assert feed.queued <= MOST * RATE
    assert filled(feed, 1)[0] > 1
    feed.clear()
    assert not filled(feed, BLOCK).any()


async def test_a_machine_without_sound_is_told_what_to_do() -> None:
    """Where there is PortAudio and a device, it opens; everywhere else the cure is named."""
    try:
        async with SoundDevice(RATE) as device:
            device.play(tone(0), anyio.current_time())
            assert device.latency() > 0
    except ConfigError as error:
        assert str(error).startswith("speaker.device: ")
        assert "speaker=[page]" in str(error)
