"""What every server on Riva's wire shares: the port, the calls, the health service, and an end on SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import grpc
from riva.client.proto import health_pb2, health_pb2_grpc

from engines.port import PortTaken

LARGEST_MESSAGE = 4 << 20  # bytes
Context = grpc.aio.ServicerContext[Any, Any]


def bound(name: str, host: str, port: int, most_calls: int) -> grpc.aio.Server:
    """A server that has taken its port and does not serve yet. Raises PortTaken."""
    server = grpc.aio.server(
        options=[
            # otherwise two copies would share the port, each with half of the calls
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", LARGEST_MESSAGE),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ],
        maximum_concurrent_rpcs=most_calls,
    )
    try:
        server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        cure = "stop what listens there or give port=NUMBER"
        raise PortTaken(f"{name}: {host}:{port} is taken; {cure}") from error
    return server


def ended() -> asyncio.Event:
    """Set on SIGTERM and SIGINT."""
    ending = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ending.set)
    return ending


class Calls:
    """The calls that a service is answering."""

    def __init__(self) -> None:
        self.ending = False
        self._tasks: set[asyncio.Task[Any]] = set()

    def end(self) -> None:
        """End every call now with UNAVAILABLE; grpc.aio by itself would log a traceback for each."""
        self.ending = True
        for task in self._tasks:
            task.cancel()

    @asynccontextmanager
    async def one(self, context: Context) -> AsyncIterator[None]:
        """What happens inside is a call. Aborts it with UNAVAILABLE from end() on."""
        task = asyncio.current_task()
        if task is None or self.ending:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the server is ending")
        self._tasks.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if not self.ending:
                raise
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the server is ending")
        finally:
            self._tasks.discard(task)


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # generated, untyped
    """grpc.health.v1; a server listens only once it is of use, so there is one answer."""

    def __init__(self, services: Collection[str]) -> None:
        """`services`: their full names."""
        self._services = {"", *services}

    async def Check(
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> health_pb2.HealthCheckResponse:
        """SERVING for what is served, NOT_FOUND for the rest."""
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"unknown service {request.service}")
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)

    async def Watch(
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """The same once, and again only if it changed, which it does not."""
        yield await self.Check(request, context)
        await asyncio.Event().wait()
