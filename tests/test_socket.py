"""Connections that take over from one another, in virtual time: none is given up before another works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import pytest

from glue.errors import ConfigError, Unreachable
from glue.senses.socket import LINGER_S, client, relay, wire
from tests.test_eyes_show import VIRTUAL

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> object:
    return VIRTUAL


@dataclass
class Service:
    """Asks its first visitor to come again at second 1, and hangs up on it at `until`; turns the next
    `refusals` visitors away, each after a second."""

    refusals: int
    until: float
    came: list[str] = field(default_factory=list)
    ended: dict[str, float] = field(default_factory=dict)

    async def read(self, url: str, joined: Callable[[], None], handover: Callable[[str], None]) -> None:
        self.came.append(url)
        name = f"{url}{len(self.came)}"
        try:
            if len(self.came) == 1:
                joined()
                await anyio.sleep(1)
                handover("next")
                await anyio.sleep(self.until - 1)
                raise Unreachable("chat", "hung up as it said")
            if len(self.came) - 1 <= self.refusals:
                await anyio.sleep(1)
                raise Unreachable("chat", "turned away")
            joined()
            await anyio.sleep_forever()
        finally:
            self.ended[name] = anyio.current_time()


@pytest.mark.parametrize("address", ["ws://", "ws://127.0.0.1:x/", "ws://[::1/", "ws://a..b/"])
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_address_that_is_none_is_told_without_what_is_secret(address: str) -> None:
    with pytest.raises(Unreachable, match=r"is no address \(\w+\)") as told:
        async with wire("chat", f"{address}?token=secret", 1.0, 100):
            pass
    assert "secret" not in str(told.value)


async def test_the_old_line_is_read_until_a_new_one_works() -> None:
    service, begun = Service(refusals=4, until=1000), anyio.current_time()
    with anyio.move_on_after(100) as scope:
        await relay("first", service.read, lambda: None)
    assert scope.cancelled_caught and service.came == ["first", *["next"] * 5]
    joined = max(service.ended[f"next{n}"] for n in (2, 3, 4, 5))
    assert joined + LINGER_S < service.ended["first1"] < joined + LINGER_S + 6
    assert service.ended["next6"] == pytest.approx(begun + 100)


async def test_when_the_old_one_is_gone_and_no_new_one_works_that_is_an_outage() -> None:
    service, begun = Service(refusals=1000, until=30), anyio.current_time()
    with anyio.fail_after(40), pytest.raises(Unreachable, match="turned away"):
        await relay("first", service.read, lambda: None)
    assert 30 <= anyio.current_time() - begun < 33 and len(service.came) > 4


async def test_an_old_line_that_goes_early_is_taken_over_from_at_once() -> None:
    service, begun = Service(refusals=0, until=1.01), anyio.current_time()
    with anyio.move_on_after(10) as scope:
        await relay("first", service.read, lambda: None)
    assert scope.cancelled_caught and service.ended["next2"] == pytest.approx(begun + 10)


@pytest.mark.parametrize("proxy", ["localhost:3128", "socks5://127.0.0.1:1080", "http://user@localhost:1"])
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_proxy_that_cannot_be_used_ends_no_show(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was no PortError, and so a bug of ours: the show ended as soon as Twitch was to be read."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(Unreachable, match=r"irc\.example cannot be reached: the environment's proxy") as told:
        async with wire("chat", "wss://irc.example", 1.0, 100):
            pass
    assert "user" not in str(told.value)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "ftp://127.0.0.1:21"])
def test_a_proxy_that_chats_cannot_be_asked_through_is_one_line(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ConfigError, match=r"^chat: the environment's proxy.*; cure: [^\n]+$"):
        client(1.0)
