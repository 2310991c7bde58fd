"""The other half of the Twitch-like server: EventSub over a WebSocket, and the calls of Helix around it.

https://dev.twitch.tv/docs/eventsub/handling-websocket-events/, https://dev.twitch.tv/docs/api/reference/.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from socket import create_server
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.waiting import eventually

SCOPES = {
    "channel.subscribe": "channel:read:subscriptions",
    "channel.subscription.message": "channel:read:subscriptions",
    "channel.subscription.gift": "channel:read:subscriptions",
    "channel.cheer": "bits:read",
    "channel.raid": "",
    "channel.follow": "moderator:read:followers",
    "channel.channel_points_custom_reward_redemption.add": "channel:read:redemptions",
}
GRACE_S = 5.0  # for a client that has moved to close its old connection (Twitch's is 30)
USERS = {"spark": "1001", "mika": "1002"}


@dataclass
class Session:
    id: str
    connection: ServerConnection
    kinds: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Events:
    """`token` is the one that is good; `unused_s` is how long a session may stay without a subscription."""

    token: str = "good"
    login: str = "spark"
    scopes: list[str] = field(default_factory=lambda: [*filter(None, SCOPES.values()), "user:write:chat"])
    keepalive: float = 10
    unused_s: float = 10.0
    silent: bool = False
    ailing: bool = False  # whoever asks whose token it is gets an error of the server's
    sessions: dict[str, Session] = field(default_factory=dict)
    written: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    written_to: Callable[[str, str, str], str] = lambda login, text, answers: uuid.uuid4().hex
    http: str = ""
    _moving: list[Session] = field(default_factory=list)
    _server: Server | None = None

    @property
    def socket(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}/ws"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        listener = create_server(("127.0.0.1", 0))
        self.http = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(self._app(), log_config=None, access_log=False, lifespan="off")
        web = uvicorn.Server(config)
        async with serve(self._session, "127.0.0.1", 0, close_timeout=0.1) as self._server:
            async with anyio.create_task_group() as tg:
                tg.start_soon(web._serve, [listener])
                try:
                    yield
                finally:
                    web.should_exit = web.force_exit = True
                    for session in self.sessions.values():
                        session.connection.transport.abort()

    async def _session(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        old = parse_qs(urlsplit(connection.request.path).query).get("id", [""])[0]
        session = Session(old or uuid.uuid4().hex, connection)
        if before := self.sessions.get(old):
            session.kinds = before.kinds
        self.sessions[session.id] = session
        with suppress(ConnectionClosed):
            await connection.send(self._message("session_welcome", self._about(session)))
            if before and not await over(before.connection, GRACE_S):
                await before.connection.close(4004)
            asyncio.get_running_loop().call_later(self.unused_s, self._close_unused, session)
            while not await over(connection, self.keepalive * 0.8):
                if not self.silent:
                    await connection.send(self._message("session_keepalive", {}))
        if self.sessions.get(session.id) is session:
            del self.sessions[session.id]

    def _close_unused(self, session: Session) -> None:
        if not session.kinds:
            session.connection.transport.abort()

    def _about(self, session: Session, url: str | None = None) -> dict[str, Any]:
        about = {
            "id": session.id,
            "status": "reconnecting" if url else "connected",
            "connected_at": now(),
            "keepalive_timeout_seconds": int(self.keepalive),
            "reconnect_url": url,
        }
        return {"session": about}

    def _message(self, kind: str, payload: dict[str, Any], id: str = "", **more: str) -> str:
        about = {"message_id": id or uuid.uuid4().hex, "message_type": kind, "message_timestamp": now()}
        return json.dumps({"metadata": about | more, "payload": payload})

    async def tell(self, kind: str, event: dict[str, Any], times: int = 1) -> None:
        """A notification to every session that wants it; `times` over 1 repeats it, as Twitch may."""
        id = uuid.uuid4().hex
        for session in list(self.sessions.values()):
            if kind in session.kinds:
                payload = {"subscription": session.kinds[kind], "event": event}
                frame = self._message(
                    "notification", payload, id, subscription_type=kind, subscription_version="1"
                )
                for _ in range(times):
                    await session.connection.send(frame)

    async def revoke(self, kind: str, status: str) -> None:
        """No session is told of a kind any more."""
        for session in list(self.sessions.values()):
            payload = {"subscription": session.kinds.pop(kind) | {"status": status}}
            frame = self._message("revocation", payload, subscription_type=kind, subscription_version="1")
            await session.connection.send(frame)

    async def reconnect(self) -> None:
        """Ask every session to move to another connection."""
        self._moving = list(self.sessions.values())
        for session in self._moving:
            url = f"{self.socket}?id={session.id}"
            await session.connection.send(self._message("session_reconnect", self._about(session, url)))

    async def moved(self) -> None:
        """Until each has."""
        await eventually(lambda: not any(session in self.sessions.values() for session in self._moving), 60)

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/oauth2/validate", self._validate),
                Route("/helix/users", self._users),
                Route("/helix/eventsub/subscriptions", self._subscribe, methods=["POST", "DELETE", "GET"]),
                Route("/helix/chat/messages", self._write, methods=["POST"]),
            ]
        )

    def _unknown(self, request: Request) -> Response | None:
        self.asked.append(request.url.path)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme in ("Bearer", "OAuth") and token == self.token:
            return None
        return JSONResponse({"error": "Unauthorized", "status": 401, "message": "Invalid OAuth token"}, 401)

    async def _validate(self, request: Request) -> Response:
        if self.ailing:
            self.asked.append(request.url.path)
            return Response("upstream connect error", 503)
        about = {"client_id": "client", "login": self.login, "user_id": USERS.get(self.login, "1009")}
        return self._unknown(request) or JSONResponse(about | {"scopes": self.scopes, "expires_in": 5000000})

    async def _users(self, request: Request) -> Response:
        logins = request.query_params.getlist("login") or [self.login]
        known = [login for login in logins if login in USERS]
        found = [{"id": USERS[login], "login": login, "display_name": login} for login in known]
        return self._unknown(request) or JSONResponse({"data": found})

    async def _subscribe(self, request: Request) -> Response:
        if unknown := self._unknown(request):
            return unknown
        if request.method != "POST":
            return Response(status_code=204) if request.method == "DELETE" else JSONResponse({"data": []})
        body = await request.json()
        kind, session = body["type"], self.sessions.get(body["transport"].get("session_id"))
        if kind not in SCOPES or session is None:
            return JSONResponse(
                {"error": "Bad Request", "status": 400, "message": "bad type or session"}, 400
            )
        if SCOPES[kind] and SCOPES[kind] not in self.scopes:
            return JSONResponse({"error": "Forbidden", "status": 403, "message": "missing scope"}, 403)
        if kind in session.kinds:
            return JSONResponse({"error": "Conflict", "status": 409, "message": "exists"}, 409)
        made = {"id": uuid.uuid4().hex, "status": "enabled", "cost": 0, "created_at": now()}
        session.kinds[kind] = made | {key: body[key] for key in ("type", "version", "condition", "transport")}
        totals = {"total": len(session.kinds), "total_cost": 0, "max_total_cost": 10}
        return JSONResponse({"data": [session.kinds[kind]]} | totals, 202)

    async def _write(self, request: Request) -> Response:
        if unknown := self._unknown(request):
            return unknown
        said = await request.body()  # twitchAPI says it in the address
        body = json.loads(said) if said else dict(request.query_params)
        self.written.append(body)
        id = self.written_to(self.login, body["message"], body.get("reply_parent_message_id", ""))
        return JSONResponse({"data": [{"message_id": id, "is_sent": True}]})


async def over(connection: ServerConnection, within: float) -> bool:
    with anyio.move_on_after(within):
        await connection.wait_closed()
        return True
    return False


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
