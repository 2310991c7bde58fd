"""The console over real sockets: who gets in, what pages send, and what they are told."""

import json
import re
import socket
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect

from glue.closing import closing
from glue.desk_events import OperatorAsked, Wish
from glue.desk_ports import DeskMessage
from glue.errors import ConfigError
from glue.events import Button, ButtonPressed, Event, Fate, LineArrived, PartDegraded, PartRecovered
from glue.memory_events import MemoryAdded
from glue.offer import page as page_of
from glue.parts import Parts
from glue.redacted import Known
from glue.senses.console import ConsoleSense
from glue.stage.console import Console, welcome
from glue.stage.console_page import Nonsense, read
from glue.stage.console_recent import Recent
from tests.console_show import RATE, arrives, ends, opened, origin, says, starts, told, ws

pytestmark = pytest.mark.anyio


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with opened(tmp_path, avatar_url="http://127.0.0.1:8023/") as console:
        yield console


async def test_pages_come_with_the_token_and_later_with_the_cookie(console: Console) -> None:
    async with httpx.AsyncClient(base_url=origin(console)) as client:
        assert (await client.get("/")).status_code == 403
        assert (await client.get("/?token=wrong")).status_code == 403
        page = await client.get(console.url())
        assert page.status_code == 200
        cookie = page.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
        for path in ("/", "/stage", "/page/console.js", "/page/console.css"):
            assert (await client.get(path)).status_code == 200, path
        assert (await client.get("/page/../console.py")).status_code == 404
        assert (await client.post("/")).status_code == 405


async def test_the_page_has_words_for_every_fate(console: Console) -> None:
    async with httpx.AsyncClient(base_url=origin(console)) as client:
        await client.get(console.url())
        script = (await client.get("/page/conversation.js")).text
    words = re.search(r"const FATES = \{(.*?)\};", script, re.DOTALL)
    assert words and set(re.findall(r"(\w+): \"[^\"]+\"", words[1])) == set(Fate)


async def test_a_tunnels_name_is_let_in_where_it_is_allowed_and_nobody_without_the_token(
    tmp_path: Path,
) -> None:
    name, token = "spark.tailnet.example", str(tmp_path / "token")
    headers = {"Host": name, "Origin": f"https://{name}"}

    async def status(url: str, **other: str) -> int:
        async with httpx.AsyncClient() as client:  # a new one each time: it would keep the cookie
            return (await client.get(url, headers={**headers, **other})).status_code

    for names, answers in (([], 403), ([name], 200)):
        async with Console(RATE, port=0, token_file=token, names=names) as console:
            assert await status(console.url()) == answers
            assert await status(console.url().split("?")[0]) == 403
            for foreign in ("https://evil.example", "http://["):
                assert await status(console.url(), Origin=foreign) == 403


async def test_pages_look_at_what_app_offers_and_at_nothing_else(console: Console) -> None:
    console.looks = {"find": lambda asked: [asked["q"]]}
    address, token = console.url("look/find").split("?")
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{address}?q=train&{token}")).json() == ["train"]
        assert (await client.get(f"{address}?q=train")).status_code == 403
        assert (await client.get(console.url("look/else"))).json() is None


async def test_headers_let_nothing_else_in(console: Console) -> None:
    async with httpx.AsyncClient() as client:
        headers = (await client.get(console.url())).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-src http://127.0.0.1:8023" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "", "127.0.0.1;x", "[::1]x"])
async def test_a_name_that_is_not_ours_is_turned_away(console: Console, host: str) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(console.url(), headers={"Host": host})
    assert answer.status_code in (400, 403)


async def test_the_token_survives_and_is_the_users_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as console:
        first = console.url().split("=")[1]
    async with opened(tmp_path) as console:
        assert console.url().split("=")[1] == first
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


async def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"console.port: {port}"):
            async with Console(RATE, port=port, token_file=str(tmp_path / "token")):
                pass


async def test_only_loopback(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ssh -L"):
        async with Console(RATE, host="0.0.0.0", token_file=str(tmp_path / "token")):
            pass


async def test_what_is_printed(console: Console) -> None:
    text = welcome(console)
    port = origin(console).rsplit(":", 1)[1]
    assert console.url() in text
    assert f"ssh -L {port}:127.0.0.1:{port} -L 8023:127.0.0.1:8023 user@host" in text


async def test_a_line_and_a_button_reach_the_senses(console: Console) -> None:
    events: list[Event] = []
    async with connect(ws(console)) as page, closing(ConsoleSense(console).events()) as heard:
        await page.send(json.dumps({"kind": "chat", "author": "", "text": "hi\u202e <b>you</b> \ud83d"}))
        await page.send(json.dumps({"kind": "chat", "author": "mika", "text": "\u200b \u200b"}))
        await page.send(json.dumps({"kind": "chat", "author": "mika", "text": "\U0001f600" * 10_000}))
        await page.send(json.dumps({"kind": "button", "text": "skip"}))
        with anyio.fail_after(30):
            async for event in heard:
                events.append(event)
                if len(events) == 3:
                    break
    first, long, button = events
    assert isinstance(first, LineArrived) and isinstance(long, LineArrived)
    assert (first.line.author, first.line.text) == ("someone", "hi <b>you</b>")
    assert len(long.line.text) == 500 and long.line.id != first.line.id
    assert isinstance(button, ButtonPressed) and button.button is Button.SKIP


async def test_a_wish_reaches_the_senses(console: Console) -> None:
    async with connect(ws(console)) as page, closing(ConsoleSense(console).events()) as heard:
        await page.send(json.dumps({"kind": "wish", "wish": "edit", "text": "t1.0 \u202eother  words "}))
        with anyio.fail_after(30):
            asked = await anext(heard)
    assert isinstance(asked, OperatorAsked) and (asked.wish, asked.text) == (Wish.EDIT, "t1.0 other words")


async def test_five_hundred_lines_in_a_second_are_all_heard(console: Console) -> None:
    async with connect(ws(console)) as page, closing(console.received()) as received:
        for number in range(500):
            await page.send(json.dumps({"kind": "chat", "author": "spam", "text": str(number)}))
        with anyio.fail_after(30):
            heard = [(await anext(received)).text for _ in range(500)]
    assert heard == [str(number) for number in range(500)]


async def test_events_and_what_a_late_page_must_know(console: Console) -> None:
    line = arrives(console, 1, "mika", "hello")
    starts(console, line, "t1")
    console.show(ButtonPressed(0.0, Button.MUTE))
    console.show(PartDegraded(0.0, "avatar", "gone"))
    async with connect(ws(console)) as page:
        names = [e["event"] for e in (await told(page, kind="snapshot"))["events"]]
        assert names[:2] == ["LineArrived", "TurnStarted"] and names[-2:] == ["ButtonPressed", "PartDegraded"]
        says(console, "t1", ["Oh, hello."])
        caption = await told(page, event="CaptionShown")
        assert (caption["text"], caption["spoken"]) == ("Oh, hello.", 10)


async def test_a_slow_page_is_told_what_it_missed(console: Console) -> None:
    async with connect(ws(console)) as page:
        await told(page, kind="snapshot")
        for number in range(600):
            arrives(console, number, "mika", str(number))
        snapshot = await told(page, kind="snapshot")
        assert snapshot["missed"] > 250
        assert snapshot["events"][-1]["line"]["text"] == "599"


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(read(text, 0.0), DeskMessage)
    except Nonsense as error:
        assert str(error)


def test_what_no_longer_holds_is_forgotten() -> None:
    recent = Recent(most=3)
    recent.note(PartDegraded(0.0, "speech", "gone"))
    recent.note(PartRecovered(1.0, "speech"))
    recent.note(ButtonPressed(1.0, Button.STOP))
    recent.note(ButtonPressed(2.0, Button.GO))
    assert [event.get("button") for event in recent.events()] == ["go"]


async def test_a_page_that_opens_later_is_told_nothing_of_who_was_forgotten(console: Console) -> None:
    async def built(key: str, section: Mapping[str, Any]) -> Console:
        return console

    parts = Parts()
    await page_of({"console": {}}, {}, parts, built)
    for name in ("Mira", "Bob"):
        parts.emit(MemoryAdded(0.0, "main", name[:1], "viewer", name, f"{name} sails", "summary"))
    parts.forget((), Known(lambda line: False, ["mira"]))
    async with connect(ws(console)) as page:
        text = json.dumps((await told(page, kind="snapshot"))["events"])
    assert "Mira" not in text and "Bob sails" in text


async def test_a_whole_reply_is_remembered(console: Console) -> None:
    line = arrives(console, 1, "mika", "hello")
    starts(console, line, "t1")
    says(console, "t1", ["One,", "two."])
    ends(console, line, "t1", "One, two.")
    async with connect(ws(console)) as page:
        events = (await told(page, kind="snapshot"))["events"]
    assert [e["event"] for e in events][-3:] == ["TurnMeasured", "TurnEnded", "LineClosed"]
