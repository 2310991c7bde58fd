"""The lane of background work, which gives way to replies; in virtual time."""

from __future__ import annotations

import anyio
import pytest
import trio.testing

from glue.errors import Refused
from glue.mind.lane import REST, Lane

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def test_the_lane_runs_one_job_at_a_time_and_counts_what_gave_way() -> None:
    lane, running, most, begun = Lane(), 0, 0, anyio.Event()

    async def job() -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        first = not begun.is_set()
        begun.set()
        try:
            await (anyio.sleep_forever() if first else anyio.sleep(0.02))
        finally:
            running -= 1
        return 7

    async def run() -> None:
        assert await lane.run(job) == 7

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tg:
            for _ in range(3):
                tg.start_soon(run)
            await begun.wait()
            with lane.speaking():
                await anyio.sleep(0.005)
                assert running == 0
    assert (most, lane.gave_way) == (1, 1)


async def test_a_reply_that_follows_another_at_once_keeps_the_lane() -> None:
    """Asked once more, a reply begins again before what waits behind the first try was woken."""
    lane, ran = Lane(), 0

    async def job() -> None:
        nonlocal ran
        ran += 1

    async with anyio.create_task_group() as tg:
        with lane.speaking():
            tg.start_soon(lane.run, job)
            await anyio.sleep(0.005)
        with lane.speaking():
            await anyio.sleep(0.005)
            assert ran == 0
    assert ran == 1


async def test_a_job_that_fails_says_so_and_frees_the_lane() -> None:
    lane = Lane()

    async def fails() -> None:
        raise Refused("llm", "no")

    async def works() -> int:
        return 1

    with pytest.raises(Refused):
        await lane.run(fails)
    assert await lane.run(works) == 1


async def test_whoever_waits_for_the_lane_can_be_cancelled() -> None:
    lane = Lane()
    with lane.speaking(), anyio.move_on_after(0.02) as scope:
        await lane.run(anyio.sleep_forever)
    assert scope.cancelled_caught


async def test_what_waits_for_the_lane_lets_a_prepared_reply_begin_first() -> None:
    """Preparing ends a moment before its reply begins: a job that used that moment would cost it a batch."""
    lane, ran = Lane(), 0.0

    async def job() -> None:
        nonlocal ran
        ran = anyio.current_time()

    async with anyio.create_task_group() as tg:
        with lane.speaking():
            tg.start_soon(lane.run, job)
            await anyio.sleep(0.005)
        await anyio.sleep(0.05)
        with lane.speaking():
            await anyio.sleep(REST)
            quiet = anyio.current_time()
            assert not ran
    assert ran - quiet >= REST - 0.01
