"""The pacing proxy: the small engine answers a request, and each token is let go in its time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import anyio
import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from engines.llm_key import authorised
from engines.pace.budget import Budget
from engines.pace.engine import Engine
from engines.pace.events import Endless, Event, events
from engines.pace.ledger import Ledger
from engines.pace.options import Options
from engines.pace.seat import Model, Seat
from engines.page import Guard, programs_only

PACED = ("v1/chat/completions", "v1/completions")
UNPACED = ("tokenize", "detokenize", "apply-template", "slots/")  # what writes no text
SILENT = 60.0  # seconds without a word from the engine
TIMEOUT = httpx.Timeout(SILENT, connect=2.0)
Body = dict[str, Any]


class Proxy:
    """Every route is one model's server; all share one machine and one engine behind."""

    def __init__(self, options: Options, client: httpx.AsyncClient) -> None:
        budget = Budget()
        self._client, self._engine = client, Engine()
        self._models = {name: Model(name, pace, budget) for name, pace in options.routes.items()}
        self._ledger = Ledger(options.routes, options.kept)

    async def report(self, request: Request) -> Response:
        """GET /pace: what was stated and what was kept."""
        return JSONResponse(self._ledger.report())

    async def serve(self, request: Request) -> Response | Answer:
        """Anything under a route."""
        name, path = request.path_params["route"], request.path_params["path"]
        model = self._models.get(name)
        if model is None:
            return refused(404, f"no model '{name}' here; there are: {', '.join(self._models)}")
        try:
            content = await request.body()
        except ClientDisconnect:
            return Response()
        if request.method == "POST" and path in PACED:
            try:
                body = json.loads(content)
            except (ValueError, RecursionError):
                body = None
            if not isinstance(body, dict):
                return refused(400, "the body is no JSON object")
            return Answer(self._client, path, body, model, self._engine, self._ledger)
        if request.method == "POST" and not path.startswith(UNPACED):
            return refused(404, f"{path} would not be paced; use /v1/chat/completions or /v1/completions")
        return await self._passed(request, path, content)

    async def _passed(self, request: Request, path: str, content: bytes) -> Response:
        try:
            query = f"{path}?{request.url.query}" if request.url.query else path
            answer = await self._client.request(request.method, f"/{query}", content=content)
        except httpx.TransportError as error:
            return refused(502, f"the engine does not answer: {type(error).__name__}")
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))


class Answer:
    """One paced answer, an ASGI response. A client that hangs up ends it, and the engine's work, at once."""

    def __init__(
        self, client: httpx.AsyncClient, path: str, body: Body, model: Model, engine: Engine, ledger: Ledger
    ) -> None:
        self._client, self._path, self._body = client, path, body
        self._model, self._engine, self._ledger = model, engine, ledger
        self._begun = False  # the head was sent: what fails from here on is told in the stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def until_hung_up() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            tg.cancel_scope.cancel()

        async with anyio.create_task_group() as tg:
            tg.start_soon(until_hung_up)
            await self._answer(scope, receive, send)
            tg.cancel_scope.cancel()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        seat, last = Seat(self._model), b""
        whole: Response | None = None
        try:
            patience = self._model.pace.first_token_ms / 2000  # seconds; half of what it has
            async with seat, self._engine.prompt(patience) as evaluated, self._asked() as answer:
                if answer.status_code != httpx.codes.OK or not self._body.get("stream"):
                    whole = await self._whole(answer, seat)
                else:
                    await self._stream(answer, seat, evaluated, send)
        except (httpx.TransportError, NoAnswer) as error:
            why = f"the engine does not answer: {str(error) or type(error).__name__}"
            last, whole = _error(why), None if self._begun else refused(502, why)
        finally:
            self._ledger.add(seat.kept)
        # only now: who has the end of an answer and asks what was kept, finds it there
        if whole is not None:
            await whole(scope, receive, send)
        else:
            await send({"type": "http.response.body", "body": last})

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[httpx.Response]:
        body = self._body
        if body.get("stream"):  # what the pace depends on, whether the client wants to know it or not
            options = dict(body.get("stream_options") or {}) | {"include_usage": True}
            body = body | {"return_progress": True, "stream_options": options}
        request = self._client.build_request("POST", f"/{self._path}", json=body)
        answer = await self._client.send(request, stream=True)
        try:
            yield answer
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(0.2):
                await answer.aclose()

    async def _whole(self, answer: httpx.Response, seat: Seat) -> Response:
        """An answer in one piece, or the engine's refusal."""
        content = await answer.aread()
        if answer.status_code == httpx.codes.OK:
            new, written = _counts(content)
            seat.prompt(new)
            for _ in range(written):
                await seat.token()
        return Response(content, answer.status_code, media_type=answer.headers.get("content-type"))

    async def _stream(
        self, answer: httpx.Response, seat: Seat, evaluated: Callable[[], None], send: Send
    ) -> None:
        head = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        self._begun = True
        async with aclosing(events(answer.aiter_raw())) as told:
            try:
                async for event in told:
                    if event.new is not None and not seat.kept.tokens:
                        seat.prompt(event.new)
                    if event.token:
                        evaluated()
                        await seat.token()
                    if self._wanted(event):
                        await send({"type": "http.response.body", "body": event.raw, "more_body": True})
            except Endless:
                await send(
                    {"type": "http.response.body", "body": _error("an endless event"), "more_body": True}
                )

    def _wanted(self, event: Event) -> bool:
        """Not what only the proxy had asked for."""
        options = self._body.get("stream_options") or {}
        return not (
            (event.progress and not self._body.get("return_progress"))
            or (event.usage and not options.get("include_usage"))
        )


class NoAnswer(Exception):
    """What came from the engine is none; `str()` says what."""


def _counts(content: bytes) -> tuple[int, int]:
    """Prompt tokens that were not cached, and tokens written. Raises NoAnswer."""
    try:
        usage = json.loads(content)["usage"]
        cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
        return int(usage["prompt_tokens"] - cached), int(usage["completion_tokens"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NoAnswer(f"no counts in {content[:80]!r}") from error


def refused(status: int, why: str) -> JSONResponse:
    """An error in OpenAI's form."""
    return JSONResponse({"error": {"message": why, "type": "invalid_request_error"}}, status)


def _error(why: str) -> bytes:
    return f"data: {json.dumps({'error': {'message': why}})}\n\n".encode()


@asynccontextmanager
async def application(options: Options) -> AsyncIterator[ASGIApp]:
    """The proxy's endpoints, with its connections to the engine."""
    # llama.cpp closes a kept one at will
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=options.upstream, headers=authorised(), limits=limits, timeout=TIMEOUT, trust_env=False
    ) as client:
        proxy = Proxy(options, client)
        routes = [
            Route("/pace", proxy.report),
            Route("/{route}/{path:path}", proxy.serve, methods=["GET", "POST"]),
        ]
        # the key would be any page's
        yield Guard(Starlette(routes=routes), programs_only, "default-src 'none'")
