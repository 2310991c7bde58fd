"""The playback clock in virtual time: pace, order, delay, silence on a cut."""

import anyio
import numpy as np
import pytest
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from glue.stage.mixer import BLOCK, Mixer
from glue.stage.track import Track
from tests.core import RATE, Tape

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


def tone(seconds: float, level: int = 5000) -> np.ndarray:
    return np.full(round(seconds * RATE), level, np.int16)


async def test_sound_leaves_at_once_and_in_real_time() -> None:
    tape = Tape()
    mixer = Mixer([tape], RATE, ahead=1.0)
    track = mixer.track()
    async with anyio.create_task_group() as tg:
        tg.start_soon(mixer.run)
        await anyio.sleep(5)
        start = anyio.current_time()
        await track.write(tone(0.5))
        await track.drained(0.0)
        tg.cancel_scope.cancel()
    assert tape.blocks[0][0] == pytest.approx(start)
    assert np.diff([at for at, _ in tape.blocks]) == pytest.approx(BLOCK)
    assert np.concatenate([pcm for _, pcm in tape.blocks]).size == RATE // 2
    assert anyio.current_time() - start == pytest.approx(0.5)


async def test_an_idle_mixer_does_not_tick() -> None:
    tape = Tape()
    mixer = Mixer([tape], RATE, ahead=1.0)
    with anyio.move_on_after(3600):
        await mixer.run()
    assert tape.blocks == []


async def test_a_writer_waits_while_a_second_is_queued() -> None:
    mixer = Mixer([Tape()], RATE, ahead=1.0)
    track = mixer.track()
    async with anyio.create_task_group() as tg:
        tg.start_soon(mixer.run)
        start = anyio.current_time()
        for _ in range(50):
            await track.write(tone(0.1))
        assert anyio.current_time() - start == pytest.approx(3.9, abs=0.15)
        tg.cancel_scope.cancel()


async def test_the_mouth_may_look_into_what_is_queued_but_not_beyond() -> None:
    mixer = Mixer([Tape()], RATE, ahead=1.0)
    track = mixer.track()
    async with anyio.create_task_group() as tg:
        tg.start_soon(mixer.run)
        await track.write(tone(0.3))
        await anyio.sleep(0.1)
        now = anyio.current_time()
        assert track.audible(now + 0.03) == pytest.approx(0.1, abs=0.011)
        assert track.approaching(now + 0.03) == pytest.approx(0.13, abs=0.001)
        assert track.approaching(now + 1.0) == pytest.approx(0.3)
        tg.cancel_scope.cancel()


async def test_two_voices_are_summed_and_clipped() -> None:
    tape = Tape()
    mixer = Mixer([tape], RATE, ahead=1.0)
    one, two = mixer.track(), mixer.track()
    async with anyio.create_task_group() as tg:
        tg.start_soon(mixer.run)
        await one.write(tone(0.1, 20000))
        await two.write(tone(0.05, 20000))
        await one.drained(0.0)
        tg.cancel_scope.cancel()
    sound = np.concatenate([pcm for _, pcm in tape.blocks])
    assert sound[:1200].tolist() == [32767] * 1200 and sound[1200:2400].tolist() == [20000] * 1200


async def test_mute_keeps_time() -> None:
    tape = Tape()
    mixer = Mixer([tape], RATE, ahead=1.0)
    mixer.muted = True
    track = mixer.track()
    async with anyio.create_task_group() as tg:
        tg.start_soon(mixer.run)
        await track.write(tone(0.2))
        await track.drained(0.0)
        tg.cancel_scope.cancel()
    assert track.audible(anyio.current_time()) == pytest.approx(0.2)
    assert not np.concatenate([pcm for _, pcm in tape.blocks]).any()


async def test_flush_silences_one_voice_and_spares_the_other() -> None:
    tape = Tape()
    mixer = Mixer([tape], RATE, ahead=1.0, delay=2.0)
    one, two = mixer.track(), mixer.track()
    async with anyio.create_task_group() as tg:
        tg.start_soon(mixer.run)
        await one.write(tone(1.0, 100))
        await two.write(tone(1.0, 7))
        await anyio.sleep(0.5)
        mixer.flush(one)
        await two.drained(0.0)
        tg.cancel_scope.cancel()
    assert set(np.concatenate([pcm for _, pcm in tape.blocks]).tolist()) == {7}


async def test_the_delay_line_holds_back_and_can_be_dumped() -> None:
    tape = Tape()
    mixer = Mixer([tape], RATE, ahead=5.0, delay=3.0)
    track = mixer.track()
    async with anyio.create_task_group() as tg:
        tg.start_soon(mixer.run)
        start = anyio.current_time()
        await track.write(tone(4.0))
        await anyio.sleep(3.5)
        assert tape.blocks[0][0] - start == pytest.approx(3.0)
        assert track.audible(anyio.current_time()) == pytest.approx(0.5, abs=0.02)
        assert mixer.dump() == pytest.approx(3.0, abs=0.02)
        await anyio.sleep(3.0)
        assert tape.blocks[-1][0] - start == pytest.approx(3.5, abs=0.02)
        tg.cancel_scope.cancel()


async def test_the_first_content_sample_is_told_not_the_silence_before_it() -> None:
    mixer = Mixer([Tape()], RATE, ahead=1.0)
    track = mixer.track()
    told: list[float] = []
    async with anyio.create_task_group() as tg:
        tg.start_soon(mixer.run)
        start = anyio.current_time()
        track.on_audible(told.append)
        await track.write(np.concatenate([tone(0.123, 20), tone(0.2)]))
        await track.drained(0.0)
        tg.cancel_scope.cancel()
    assert told == [pytest.approx(start + 0.123, abs=1e-3)]


async def test_gaps_between_stretches_are_known() -> None:
    mixer = Mixer([Tape()], RATE, ahead=1.0)
    track = mixer.track()
    async with anyio.create_task_group() as tg:
        tg.start_soon(mixer.run)
        start = anyio.current_time()
        await track.write(tone(0.2))
        await anyio.sleep(0.5)
        await track.write(tone(0.2))
        await track.drained(0.0)
        tg.cancel_scope.cancel()
    assert track.silences(start) == [pytest.approx(0.3, abs=0.011)]


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(1, 4800)), max_size=12), st.floats(0, 20))
def test_what_was_heard_never_runs_backwards(stretches: list[tuple[float, int]], flushed: float) -> None:
    track = Track(RATE, 1.0, lambda: None)
    at, first = 0.0, 0
    for pause, size in stretches:
        track.written += size
        track.left(at, first, np.zeros(size, np.int16))
        first += size
        at += size / RATE + pause
    heard = [track.audible(t / 10) for t in range(200)]
    assert heard == sorted(heard)
    assert all(0 <= h <= first / RATE for h in heard)
    before = track.audible(flushed)
    track.flush(flushed)
    assert track.audible(99.0) == pytest.approx(before, abs=1 / RATE)
