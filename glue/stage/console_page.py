"""One open page's socket for events and buttons: a bounded queue out, checked messages in."""

import json
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from glue.desk_events import Wish
from glue.desk_ports import DeskMessage
from glue.events import Button
from glue.game_events import GameButton

QUEUE = 256  # events that may wait for a slow page; beyond it the page gets a snapshot instead
BURST, PER_SECOND = 600, 200  # messages; what comes faster waits in the socket, and is not lost
MISTAKES = 10  # messages that make no sense, before the page is sent away
BUTTONS = frozenset(button.value for button in Button)
WISHES = frozenset(wish.value for wish in Wish)
GAMES = frozenset(button.value for button in GameButton)

Json = dict[str, object]
Farewell = tuple[int, str]  # a close code, and why


class Nonsense(Exception):
    """A message that a page may not send; the text says why."""


def read(text: str, at: float) -> DeskMessage:
    """A page's message, shape-checked. Raises Nonsense."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:  # "[[[[..." is deeper than Python's stack
        raise Nonsense("this is not JSON") from error
    match message:
        case {"kind": "chat", "author": str(author), "text": str(said)}:
            return DeskMessage(at, "chat", author, said)
        case {"kind": "button", "text": str(button)} if button in BUTTONS:
            return DeskMessage(at, "button", "", button)
        case {"kind": "wish", "wish": str(wish), "text": str(text)} if wish in WISHES:
            return DeskMessage(at, "wish", wish, text)
        case {"kind": "game", "game": str(game), "button": str(button), "text": str(text)} if button in GAMES:
            return DeskMessage(at, "game", game, f"{button} {text}")
    raise Nonsense(
        'expected {"kind": "chat", "author": ..., "text": ...} or {"kind": "button", "text": BUTTON} '
        f"with BUTTON one of {', '.join(sorted(BUTTONS))} "
        f'or {{"kind": "wish", "wish": WISH, "text": ...}} with WISH one of {", ".join(sorted(WISHES))} '
        'or {"kind": "game", "game": ..., "button": GAME_BUTTON, "text": ACTION} '
        f"with GAME_BUTTON one of {', '.join(sorted(GAMES))}"
    )


class Page:
    """A socket, what waits for it, and how long it may take to read (`patience`, seconds)."""

    def __init__(self, socket: WebSocket, snapshot: Callable[[], Json], patience: float) -> None:
        self._socket = socket
        self._snapshot = snapshot
        self._patience = patience
        self._queue: deque[tuple[str, str]] = deque()
        self._missed = 0
        self._behind = True  # it is owed a snapshot
        self._wake = anyio.Event()

    def put(self, text: str, instead_of: str = "") -> None:
        """Queue a message; one that waits under the same `instead_of` key is replaced. Never blocks."""
        if self._behind:
            self._missed += 1  # the snapshot will have it
            return
        if instead_of and self._queue and self._queue[-1][0] == instead_of:
            self._queue.pop()
        self._queue.append((instead_of, text))
        if len(self._queue) > QUEUE:
            self._missed, self._behind = len(self._queue), True
            self._queue.clear()
        self._wake.set()

    async def write(self) -> None:
        """Send for ever. Raises TimeoutError for a page that does not read."""
        while True:
            if self._behind:
                missed, self._missed, self._behind = self._missed, 0, False
                text = json.dumps({**self._snapshot(), "missed": missed})
            elif self._queue:
                _, text = self._queue.popleft()
            else:
                self._wake = anyio.Event()
                await self._wake.wait()
                continue
            with anyio.fail_after(self._patience):
                await self._socket.send_text(text)

    async def read(self, take: Callable[[DeskMessage], Awaitable[None]]) -> Farewell | None:
        """Hand every message over until the page goes, or is to be sent away: for binary, for too much
        nonsense."""
        mistakes, allowance, last = 0, float(BURST), anyio.current_time()
        while (message := await self._socket.receive())["type"] != "websocket.disconnect":
            now = anyio.current_time()
            allowance, last = min(BURST, allowance + (now - last) * PER_SECOND) - 1, now
            if allowance < 0:
                await anyio.sleep(-allowance / PER_SECOND)
            text = message.get("text")
            if text is None:
                return 1003, "text only"
            try:
                await take(read(text, now))
            except Nonsense as error:
                self.put(json.dumps({"kind": "error", "text": str(error)}))
                mistakes += 1
            if mistakes >= MISTAKES:
                return 1008, "too many messages that make no sense"
        return None


async def both(
    socket: WebSocket,
    read: Callable[[], Awaitable[Farewell | None]],
    write: Callable[[], Awaitable[None]],
    patience: float,
) -> bool:
    """Read from a socket and write to it until its page goes, or `read` sends it away. False for a page that
    has to be cut off because it does not read (`write` raised TimeoutError)."""
    reads, farewell = True, None
    async with anyio.create_task_group() as tg:

        async def guarded(work: Callable[[], Awaitable[Farewell | None]]) -> None:
            nonlocal reads, farewell
            try:
                farewell = await work()
            except TimeoutError:
                reads = False
            except WebSocketDisconnect:
                pass  # it went while something was on its way
            tg.cancel_scope.cancel()

        tg.start_soon(guarded, read)
        tg.start_soon(guarded, write)
    return reads and (farewell is None or await send_away(socket, farewell, patience))


async def send_away(socket: WebSocket, farewell: Farewell, patience: float) -> bool:
    """Close a socket that nobody writes to any more; False where it did not read that for so long."""
    closed = suppress(WebSocketDisconnect, RuntimeError)  # it is already
    with anyio.move_on_after(patience) as scope, closed:
        await socket.close(*farewell)
    return not scope.cancelled_caught
