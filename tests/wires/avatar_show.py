"""The avatar's adapter under the show's supervisor, as app runs it, and what that tells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio

from glue.events import Event
from glue.stage.vtube_studio import VTubeStudio
from glue.supervise import Patience, supervise


@asynccontextmanager
async def showing(adapter: VTubeStudio) -> AsyncIterator[list[Event]]:
    """Connected again and again, without much patience."""
    told: list[Event] = []
    patience = Patience(first=0.05, most=0.2, settled=0.2)
    async with adapter, anyio.create_task_group() as tg:
        tg.start_soon(partial(supervise, "avatar", adapter.run, told.append, patience))
        yield told
        tg.cancel_scope.cancel()
