"""A part that breaks is tried again, told of, and given up only where the show cannot do without it."""

from itertools import pairwise

import anyio
import pytest
import trio.testing

from glue.errors import Unreachable
from glue.events import Event, PartDegraded, PartRecovered
from glue.supervise import Patience, Works, supervise

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def test_it_is_tried_again_with_growing_pauses_and_told_once() -> None:
    times: list[float] = []
    events: list[Event] = []

    async def run(works: Works) -> None:
        times.append(anyio.current_time())
        if len(times) < 9:
            raise Unreachable("avatar", "refused")
        await anyio.sleep(60)  # a user reads a question
        works()
        await anyio.sleep(40)

    await supervise("avatar", run, events.append)
    pauses = [b - a for a, b in pairwise(times)]
    assert 0.16 <= pauses[0] <= 0.24 and max(pauses) <= 12 and pauses[6] > 5
    assert [type(e) for e in events] == [PartDegraded, PartRecovered]
    recovered = events[-1]
    assert isinstance(recovered, PartRecovered)
    assert recovered.at == pytest.approx(times[-1] + 61.0)


async def test_a_part_that_falls_again_is_told_again_and_starts_patient() -> None:
    times: list[float] = []
    events: list[Event] = []

    async def run(works: Works) -> None:
        times.append(anyio.current_time())
        if len(times) == 6:
            return
        works()
        await anyio.sleep(30)
        raise Unreachable("avatar", "gone")

    await supervise("avatar", run, events.append)
    assert [type(e) for e in events].count(PartDegraded) == 5
    assert all(b - a < 31 for a, b in pairwise(times))


async def test_a_required_part_that_stays_down_ends_the_show() -> None:
    async def run(works: Works) -> None:
        raise Unreachable("llm", "refused")

    start = anyio.current_time()
    with pytest.raises(BaseExceptionGroup) as caught:
        await supervise("llm", run, lambda e: None, Patience(required_within=20.0))
    assert caught.group_contains(Unreachable)
    assert 20 <= anyio.current_time() - start < 40


async def test_a_bug_is_not_tried_again() -> None:
    tries = 0

    async def run(works: Works) -> None:
        nonlocal tries
        tries += 1
        raise KeyError("a bug")

    with pytest.raises(BaseExceptionGroup) as caught:
        await supervise("part", run, lambda e: None)
    assert caught.group_contains(KeyError) and tries == 1
