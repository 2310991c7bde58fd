"""The pacing proxy's arithmetic: when tokens may leave, how a machine is shared, what counts as too fast."""

from __future__ import annotations

import asyncio
import json
import selectors
from collections.abc import Callable, Coroutine
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.pace.budget import Budget
from engines.pace.engine import Engine
from engines.pace.events import Endless, Event, events, read
from engines.pace.ledger import Kept, Ledger
from engines.pace.options import Options, Pace
from engines.pace.schedule import Schedule, prefill_seconds, step_seconds
from engines.pace.seat import Model, Seat

PACE = Pace("toy", first_token_ms=100, prefill=1000, decode=10, step=1)
T = TypeVar("T")
paces = st.builds(
    Pace,
    model=st.just("any"),
    first_token_ms=st.floats(0, 1000),
    prefill=st.floats(1, 20_000),
    decode=st.floats(0.5, 200),
    step=st.floats(1, 4),
)


def test_a_short_prompt_costs_one_pass_and_a_long_one_its_tokens() -> None:
    assert prefill_seconds(PACE, 0) == prefill_seconds(PACE, 100) == pytest.approx(0.1)
    assert prefill_seconds(PACE, 500) == pytest.approx(0.5)


def test_drafted_tokens_come_together() -> None:
    pace = Pace("draft", decode=10, step=2)
    assert [round(step_seconds(pace, token), 3) for token in range(6)] == [0, 0.2, 0.2, 0.4, 0.4, 0.6]


@given(paces, st.integers(0, 5000), st.lists(st.floats(0, 2), min_size=1, max_size=40))
def test_no_token_is_ever_due_before_the_stated_pace(pace: Pace, new: int, late: list[float]) -> None:
    schedule, now = Schedule(pace, 0.0, new), 0.0
    for token, behind in enumerate(late):
        now = max(now + behind, schedule.due())  # the engine had it `behind` after the one before
        schedule.sent(now)
        stated = prefill_seconds(pace, new) + step_seconds(pace, token)
        assert now >= stated - 1e-6
        rest = max(0.0, schedule.due() - now)
        assert rest <= pace.step / pace.decode + 1e-6  # and one that is late does not make the next one later


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(0.001, 5)), max_size=30))
def test_the_machine_is_never_given_away_twice(moves: list[tuple[str, bool, float]]) -> None:
    now = 0.0
    budget, inside, given_away, busy_time = Budget(lambda: now), dict.fromkeys("abc", 0), 0.0, 0.0
    for name, enters, seconds in moves:
        if enters:
            budget.enter(name)
            inside[name] += 1
        elif inside[name]:
            budget.leave(name)
            inside[name] -= 1
        before, busy = budget.work(), sum(count > 0 for count in inside.values())
        now += seconds
        if busy:
            given_away += busy * (budget.work() - before)
            busy_time += seconds
    assert given_away == pytest.approx(busy_time)


class Leaping(selectors.DefaultSelector):
    """Waits for nothing: the time that a loop would wait has then passed, and a little more each time."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += max(timeout or 0.0, 1e-7)
        return super().select(0)


class Virtual(asyncio.SelectorEventLoop):
    """A loop in virtual time."""

    def __init__(self) -> None:
        self._leaping = Leaping()
        super().__init__(self._leaping)

    def time(self) -> float:
        return self._leaping.now


def played(scene: Callable[[Budget], Coroutine[object, object, T]]) -> T:
    """A scene on a machine in virtual time."""
    with asyncio.Runner(loop_factory=Virtual) as runner:
        return runner.run(scene(Budget(runner.get_loop().time)))


def test_waiting_stretches_when_another_joins_and_shrinks_when_it_leaves() -> None:
    async def another(budget: Budget) -> None:
        await asyncio.sleep(0.05)
        budget.enter("opener")
        await asyncio.sleep(0.1)
        budget.leave("opener")

    async def scene(budget: Budget) -> float:
        budget.enter("main")
        async with asyncio.TaskGroup() as tg:
            tg.create_task(another(budget))
            await budget.until(budget.work() + 0.15)
            return budget.now()

    assert played(scene) == pytest.approx(0.2, abs=0.001)  # half of the time beside the other was lost


def test_prompts_queue_and_answers_are_a_batch() -> None:
    async def answer(model: Model, tokens: int) -> Kept:
        async with Seat(model) as seat:
            seat.prompt(0)
            for _ in range(tokens):
                await seat.token()
        return seat.kept

    async def scene(budget: Budget) -> list[Kept]:
        model = Model("main", Pace("toy", 50, 1000, 50), budget)
        return list(await asyncio.gather(answer(model, 5), answer(model, 5)))

    first, second = played(scene)
    assert first.waited < 0.001 and second.waited == pytest.approx(0.05, abs=0.001)
    assert first.early_ms < 0.5 and second.early_ms < 0.5
    assert first.tokens == second.tokens == 5


def test_prompts_take_turns_at_the_small_engine_while_there_is_time() -> None:
    async def scene(_: Budget) -> list[str]:
        engine, order = Engine(), []

        async def ask(name: str, most: float, seconds: float) -> None:
            async with engine.prompt(most) as evaluated:
                order.append(f"{name} begins")
                await asyncio.sleep(seconds)
                evaluated()
                order.append(f"{name} is evaluated")
                await asyncio.sleep(seconds)  # its answer is nobody's hindrance

        await asyncio.gather(ask("opener", 1, 0.05), ask("main", 1, 0.05), ask("hasty", 0.01, 0.1))
        return order

    order = played(scene)
    assert order[:3] == ["opener begins", "hasty begins", "opener is evaluated"]
    assert order.index("main begins") > order.index("opener is evaluated")


def test_a_hang_up_keeps_its_share_until_it_is_noticed() -> None:
    async def scene(budget: Budget) -> float:
        model = Model("main", Pace("toy", 10, 1000, 100, linger_ms=100), budget)
        with pytest.raises(ConnectionError):
            async with Seat(model) as seat:
                await seat.token()
                raise ConnectionError
        budget.enter("opener")
        began = budget.now()
        await budget.until(budget.work() + 0.1)
        return budget.now() - began

    assert played(scene) == pytest.approx(0.15, abs=0.001)  # 0.1 s of it for half


def test_an_answer_that_was_too_fast_is_counted() -> None:
    ledger = Ledger({"main": PACE}, 10)
    for hurry in (0.0, 0.005):
        kept = Kept("main", new=300)
        for token in range(4):
            at = 0.3 + token / 10 - hurry
            kept.token(PACE, at, at, 0.0)
        ledger.add(kept)
    ledger.add(Kept("main"))  # was cut before its first token
    report = ledger.report()
    assert report["faster"] == 1
    route = json.loads(json.dumps(report))["routes"]["main"]
    assert route["stated"]["decode"] == 10 and route["kept"]["decode"] == 10.0
    assert route["kept"]["faster"] == 1 and route["kept"]["shared_s"] == 0
    assert [answer["tokens"] for answer in route["answers"]] == [4, 4]


@pytest.mark.parametrize(("slowed", "faster"), [(2.0, 0), (1.9, 1)])
def test_beside_another_model_its_pace_alone_is_too_fast(slowed: float, faster: int) -> None:
    """With half of the machine, `slowed` times the stated seconds."""
    ledger, kept = Ledger({"main": PACE}, 10), Kept("main", new=300)
    for token in range(4):
        at = slowed * (0.3 + token / 10)
        kept.token(PACE, at, at / 2, 0.0)
    ledger.add(kept)
    report = ledger.report()
    assert report["faster"] == faster
    assert report["routes"]["main"]["kept"]["shared_s"] == pytest.approx(slowed * 0.3)


async def _all(body: bytes, size: int) -> list[Event]:
    async def pieces() -> object:
        for at in range(0, len(body), size):
            yield body[at : at + size]

    return [event async for event in events(pieces())]  # type: ignore[arg-type]  # an async generator


@given(st.lists(st.binary(max_size=60), max_size=8), st.integers(1, 50))
def test_every_byte_is_passed_on(blocks: list[bytes], size: int) -> None:
    body = b"".join(block.replace(b"\r", b"") + b"\n\n" for block in blocks)
    assert b"".join(event.raw for event in asyncio.run(_all(body, size))).rstrip() == body.rstrip()


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ({"choices": [{"delta": {"content": "a"}}]}, (True, False, False)),
        ({"choices": [{"text": "a"}]}, (True, False, False)),
        ({"choices": [{"delta": {"role": "assistant", "content": None}}]}, (False, False, False)),
        ({"choices": [], "usage": {"prompt_tokens": 3}}, (False, True, False)),
        ({"choices": [{"delta": {}}], "prompt_progress": {"total": 9, "cache": 4}}, (False, False, True)),
        ([1], (False, False, False)),
        ({"choices": [7]}, (False, False, False)),
    ],
)
def test_what_an_event_says(data: object, wanted: tuple[bool, bool, bool]) -> None:
    event = read(f"data: {json.dumps(data)}\n\n".encode())
    assert (event.token, event.usage, event.progress) == wanted
    assert event.new == (5 if event.progress else None)


def test_what_has_no_end_is_refused() -> None:
    with pytest.raises(Endless):
        asyncio.run(_all(b"x" * (1 << 21), 1 << 16))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "names no model"),
        ({"routes": {"main": PACE}, "host": "0.0.0.0"}, "not this machine"),
        ({"routes": {"main": PACE}, "port": 0}, "not a port"),
        ({"routes": {"main": PACE}, "upstream": "somewhere"}, "not an address"),
        ({"routes": {"main": PACE}, "kept": 0}, "'kept'"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Options(**options)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ValueError, match="above 0"):
        Pace(decode=0)
