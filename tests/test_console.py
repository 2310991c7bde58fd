"""The console over real sockets: who gets in, what pages may send, and pages that misbehave."""

import json
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from glue.closing import closing
from glue.desk_events import OperatorAsked, Wish
from glue.errors import ConfigError
from glue.events import Button, ButtonPressed, Event, LineArrived, PartDegraded, PartRecovered
from glue.ports import DeskMessage
from glue.senses.console import ConsoleSense
from glue.stage.console import Console, welcome
from glue.stage.console_page import Nonsense, read
from glue.stage.console_recent import Recent
from tests.console_show import RATE, arrives, ends, opened, says, starts, told, ws

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with opened(tmp_path, avatar_url="http://127.0.0.1:8023/") as console:
        yield console


def origin(console: Console) -> str:
    return console.url().split("/?")[0]


async def closed(page: ClientConnection) -> int | None:
    """The code that the server closes with."""
    with anyio.fail_after(10):
        try:
            while True:
                await page.recv()
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else None


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
            assert await status(console.url(), Origin="https://evil.example") == 403


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


async def test_sockets_want_the_token_and_our_own_origin(console: Console) -> None:
    async with connect(ws(console), origin=origin(console)) as page:  # type: ignore[arg-type]
        await told(page, kind="snapshot")
    for path in ("ws", "audio"):
        address = ws(console, path)
        for uri, other in [
            (address, "http://evil.example"),
            (address, "null"),
            (address.split("?")[0], None),
        ]:
            with pytest.raises(InvalidStatus) as refused:
                await connect(uri, origin=other)  # type: ignore[arg-type]
            assert refused.value.response.status_code == 403


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
        with anyio.fail_after(5):
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
        with anyio.fail_after(5):
            asked = await anext(heard)
    assert isinstance(asked, OperatorAsked) and (asked.wish, asked.text) == (Wish.EDIT, "t1.0 other words")


async def test_five_hundred_lines_in_a_second_are_all_heard(console: Console) -> None:
    async with connect(ws(console)) as page, closing(console.received()) as received:
        for number in range(500):
            await page.send(json.dumps({"kind": "chat", "author": "spam", "text": str(number)}))
        with anyio.fail_after(5):
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


@pytest.mark.parametrize(
    "nonsense", ["{", "[]", '{"kind": "chat"}', '{"kind": "button", "text": "x"}', "[" * 90_000]
)
async def test_nonsense_is_answered_and_then_closed(console: Console, nonsense: str) -> None:
    async with connect(ws(console)) as page:
        await page.send(nonsense)
        assert (await told(page, kind="error"))["text"]
        for _ in range(9):
            await page.send(nonsense)
        assert await closed(page) == 1008


async def test_binary_giant_and_broken_frames_close_with_a_code(console: Console) -> None:
    frames: list[tuple[str, str | bytes, int]] = [
        ("ws", b"\x00\x01", 1003),
        ("ws", "x" * 300_000, 1009),
        ("audio", b"\x00" * 100, 1008),
        ("audio", "nonsense", 1008),
        ("audio", '{"kind": "position", "sample": 1}', 1008),
        ("audio", "x" * 300_000, 1009),
    ]
    for path, frame, code in frames:
        async with connect(ws(console, path), max_size=None) as page:
            await page.send(frame)
            assert await closed(page) == code
    async with connect(ws(console)) as page:  # and the console is as well as before
        await told(page, kind="snapshot")


async def deaf(console: Console, path: str) -> socket.socket:
    """A page that shakes hands and then never reads."""
    page = socket.create_connection(("127.0.0.1", int(origin(console).rsplit(":", 1)[1])))
    page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    target = console.url(path).split("/", 3)[3]
    page.sendall(
        f"GET /{target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    return page


@pytest.mark.parametrize("flood", [False, True])
async def test_a_page_that_never_reads_is_dropped_and_harms_nobody(tmp_path: Path, flood: bool) -> None:
    async with opened(tmp_path, patience_s=0.5) as console, connect(ws(console)) as page:
        await told(page, kind="snapshot")
        lost = await deaf(console, "ws")
        with anyio.fail_after(10):
            await anyio.to_thread.run_sync(lost.recv, 100)
            number = 0
            while len(console._pages) > 1:
                number += 1
                arrives(console, number, "mika", "x" * (4000 if flood else 10))
                await told(page, event="LineArrived")
        lost.close()


async def test_a_slow_page_is_told_what_it_missed(console: Console) -> None:
    async with connect(ws(console)) as page:
        await told(page, kind="snapshot")
        for number in range(600):
            arrives(console, number, "mika", str(number))
        snapshot = await told(page, kind="snapshot")
        assert snapshot["missed"] > 250
        assert snapshot["events"][-1]["line"]["text"] == "599"


async def test_shutting_down_does_not_wait_for_pages(tmp_path: Path) -> None:
    async with opened(tmp_path) as console:
        pages = [await connect(ws(console, path)) for path in ("ws", "audio")]
        lost = await deaf(console, "ws")
        before = anyio.current_time()
    assert anyio.current_time() - before < 0.5
    for page in pages:
        await page.close()
    lost.close()


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


async def test_a_whole_reply_is_remembered(console: Console) -> None:
    line = arrives(console, 1, "mika", "hello")
    starts(console, line, "t1")
    says(console, "t1", ["One,", "two."])
    ends(console, line, "t1", "One, two.")
    async with connect(ws(console)) as page:
        events = (await told(page, kind="snapshot"))["events"]
    assert [e["event"] for e in events][-3:] == ["TurnMeasured", "TurnEnded", "LineClosed"]
