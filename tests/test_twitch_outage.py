"""Ten minutes without Twitch, in virtual time: the adapter as a show runs it, with the show's patience."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from statistics import pstdev

import anyio
import pytest

from glue.closing import closing
from glue.errors import Unreachable
from glue.events import Event, LineArrived, PartDegraded, PartRecovered
from glue.senses.socket import Wire
from glue.senses.twitch import Twitch
from glue.supervise import Patience, supervise
from tests.test_eyes_show import VIRTUAL

pytestmark = pytest.mark.anyio
GOES, OUTAGE = 100.0, 600.0  # seconds
SAYS = 5.0  # seconds between two lines in the channel


@pytest.fixture
def anyio_backend() -> object:
    return VIRTUAL


@dataclass
class Network:
    """Twitch behind a network that is gone for a while. `tried`: when somebody wanted to connect, by part."""

    began: float = field(default_factory=anyio.current_time)
    tried: dict[str, list[float]] = field(default_factory=dict)

    def now(self) -> float:
        return round(anyio.current_time() - self.began, 6)  # the clock of the tests before this one goes on

    def gone(self) -> bool:
        return GOES <= self.now() < GOES + OUTAGE

    @asynccontextmanager
    async def wire(self, part: str, url: str, timeout: float, *_: object) -> AsyncIterator[Wire]:
        """In place of glue.senses.socket.wire."""
        self.tried.setdefault(part, []).append(self.now())
        if self.gone():
            raise Unreachable(part, "no way to the host")
        yield Channel(self, part)


@dataclass
class Channel:
    """A Wire into the channel, where somebody counts aloud; both connections are told the same."""

    network: Network
    part: str
    joined: bool = False

    async def send(self, text: str) -> None:
        self.joined |= text.startswith("JOIN")

    async def receive(self, within: float) -> str | bytes:
        if self.joined:
            self.joined = False
            return "@room-id=1 :tmi.twitch.tv ROOMSTATE #spark\r\n"
        number = int(self.network.now() // SAYS) + 1
        await anyio.sleep_until(self.network.began + number * SAYS)
        if self.network.gone():
            raise Unreachable(self.part, "the connection broke")
        return f"@id={number};user-id=7 :mika!m@m PRIVMSG #spark :number {number}\r\n"


async def test_twitch_is_gone_for_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    network, events, times = Network(), list[Event](), list[float]()
    monkeypatch.setattr("glue.senses.twitch_irc.wire", network.wire)

    def note(event: Event) -> None:
        events.append(event)
        times.append(network.now())

    async def listen(adapter: Twitch) -> None:
        async with closing(adapter.events()) as heard:
            async for event in heard:
                note(event)

    async with Twitch("spark") as adapter, anyio.create_task_group() as tg:
        for part, run in adapter.runs().items():
            tg.start_soon(partial(supervise, part, run, note))
        tg.start_soon(listen, adapter)
        await anyio.sleep(GOES + OUTAGE + 100)
        tg.cancel_scope.cancel()

    p = Patience()
    for part in ("twitch", "twitch, line 2"):
        tries = [at for at in network.tried[part] if at >= GOES]
        assert 50 <= len(tries) <= 80, "often enough to be back soon, and no storm"
        planned = [min(p.first * 2**n, p.most) for n in range(len(tries))]
        waits = [b - a for a, b in pairwise([GOES, *tries])]
        jitter = [wait / wanted for wait, wanted in zip(waits, planned, strict=True)]
        assert 0.8 - 1e-6 <= min(jitter) and max(jitter) <= 1.2 + 1e-6 and pstdev(jitter) > 0.05
        assert tries[-1] <= GOES + OUTAGE + 1.2 * p.most, "the last one comes through, and there are no more"
        told = [(type(e), at) for e, at in zip(events, times, strict=True) if getattr(e, "part", "") == part]
        assert told == [(PartDegraded, GOES), (PartRecovered, pytest.approx(tries[-1] + p.settled))]
    both = [set(map(partial(round, ndigits=3), network.tried[part])) for part in network.tried]
    assert len(both[0] & both[1]) <= 2, "the two do not come in step"

    numbers = [int(e.line.text.split()[1]) for e in events if isinstance(e, LineArrived)]
    assert numbers == sorted(set(numbers)), "each line once, in its order"
    after = [number for number in numbers if number * SAYS >= GOES]
    assert [n for n in numbers if n * SAYS < GOES] == list(range(1, 20))
    assert after == list(range(after[0], after[-1] + 1)) and after[-1] >= 159
    assert after[0] * SAYS <= GOES + OUTAGE + 1.2 * p.most + SAYS
