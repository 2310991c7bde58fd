"""SOUND -> AUDIENCE: the Avatar port over VTube Studio's API: the newest pose, once a tick, for ever."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Self

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidURI

from glue.errors import PortError, Refused, Unreachable, first
from glue.stage.vts_calls import PART, Calls, Denied
from glue.stage.vts_token import TokenFile
from glue.stage.vts_wire import ASKING, DENIED, FOREIGN_PARAMETER, UNKNOWN_PARAMETER, injection, listed

log = logging.getLogger(__name__)

LARGEST_FRAME = 4 << 20  # bytes; the list of a large model's parameters is some hundred kilobytes
REMIND_S = 1.0  # a question that is open for longer waits for a person
ASKED_AGAIN_S = 600.0  # after "Deny" the pop-up is not shown again before this
CUSTOM = frozenset({"SparkBreath"})  # inputs of ours (glue/stage/face.py): sent where `parameters` makes them
LOAD_S = 30.0  # a large model takes its time


class VTubeStudio:
    """A face behind the VTube Studio wire. `run()` under a supervisor keeps one connection, once."""

    def __init__(
        self,
        address: str,
        plugin: str = "Spark VTuber",
        developer: str = "Spark VTuber",
        model: str = "",
        parameters: Sequence[str] = (),
        timeout_s: float = 3.0,
        allow_s: float = 120.0,
        keep_s: float = 0.4,
        fade_s: float = 0.3,
        token_folder: str = "",
    ) -> None:
        """`address` is ws://host:port; conf/avatar says what each is for."""
        self._address, self._model, self._parameters = address, model, parameters
        self._plugin = {"pluginName": plugin, "pluginDeveloper": developer}
        self._timeout, self._allow, self._keep, self._fade = timeout_s, allow_s, keep_s, fade_s
        self._token = TokenFile(address, token_folder)
        self._denied_until = float("-inf")
        self._calls: Calls | None = None
        self._pose: Mapping[str, float] = {}
        self._posed = anyio.Event()
        self.injected = 0  # poses that were answered
        self._dropped: set[str] = set()
        self._reported: set[str] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._calls = None

    def pose(self, values: Mapping[str, float]) -> None:
        """The Avatar port: the newest wins; what a slow server has not asked for is never queued."""
        self._pose = values
        self._posed.set()

    async def express(self, name: str, active: bool) -> None:
        """The Avatar port: `name` is "happy" for happy.exp3.json, in whatever case the model has it."""
        calls = self._calls
        if calls is None:
            raise Unreachable(PART, f"{self._address} is not connected")
        state = await calls.ask("ExpressionState", {"details": False})
        files = [str(item.get("file", "")) for item in listed(state, "expressions")]
        file = next((f for f in files if f.casefold().split(".")[0] == name.casefold()), None)
        if file is None:
            raise Refused(PART, f"the model has no expression '{name}'; it has: {', '.join(files) or 'none'}")
        change = {"expressionFile": file, "active": active, "fadeTime": self._fade}
        await calls.ask("ExpressionActivation", change)

    async def run(self, works: Callable[[], None] = lambda: None) -> None:
        """Connect, authenticate, call `works`, pose for ever.

        Raises Unreachable, TooSlow or Refused when that ends."""
        if time.monotonic() < self._denied_until:
            raise Refused(PART, self._cure())
        socket = await self._connect()
        try:
            calls = Calls(socket, self._timeout)
            await self._within(calls, works)
        except* PortError as group:
            raise first(group) from group
        finally:
            self._calls = None
            with anyio.move_on_after(0.2, shield=True):
                await socket.close()

    async def _connect(self) -> ClientConnection:
        try:
            return await connect(
                self._address,
                compression=None,
                max_size=LARGEST_FRAME,
                open_timeout=self._timeout,
                close_timeout=0.2,
                proxy=None,
            )
        except (OSError, InvalidHandshake, InvalidURI, ValueError, TimeoutError) as error:
            raise Unreachable(PART, f"{self._address} cannot be reached ({error or 'no answer'})") from error

    async def _within(self, calls: Calls, works: Callable[[], None]) -> None:
        async with anyio.create_task_group() as tg:
            tg.start_soon(calls.read)
            await self._open(calls)
            self._calls, self._dropped = calls, set(CUSTOM.difference(self._parameters))
            works()
            log.info("avatar connected", extra={"address": self._address})
            while True:
                await self._inject(calls)

    async def _open(self, calls: Calls) -> None:
        await calls.ask("APIState")
        await self._authenticate(calls)
        try:
            await self._load(calls)
            for name in self._parameters:
                custom = {"parameterName": name, "explanation": "made by Spark VTuber"}
                await calls.ask("ParameterCreation", custom | {"min": 0, "max": 1, "defaultValue": 0})
        except Denied as error:  # she can do without
            log.warning("the avatar is not set up as configured", extra={"why": error.why})

    async def _authenticate(self, calls: Calls) -> None:
        token = self._token.read()
        if token and await self._accepted(calls, token):
            return
        self._token.forget()
        token = await self._ask_user(calls)
        if not await self._accepted(calls, token):
            raise Refused(PART, f"{self._address} does not accept the token that it just gave")
        try:
            self._token.write(token)
        except OSError as error:
            log.warning("the avatar's token cannot be kept", extra={"why": str(error)})

    async def _accepted(self, calls: Calls, token: str) -> bool:
        answer = await calls.ask("Authentication", self._plugin | {"authenticationToken": token})
        return answer.get("authenticated") is True

    async def _ask_user(self, calls: Calls) -> str:
        told = partial(log.warning, "VTube Studio asks whether to let us in: press Allow")
        told = partial(told, extra={"address": self._address})
        reminder = asyncio.get_running_loop().call_later(REMIND_S, told)  # our puppet lets us in at once
        try:
            answer = await calls.ask("AuthenticationToken", self._plugin, timeout=self._allow)
        except Denied as error:
            if error.number == DENIED:
                self._denied_until = time.monotonic() + ASKED_AGAIN_S
                raise Refused(PART, self._cure()) from error
            if error.number == ASKING:
                raise Refused(PART, "another plugin's question is open in VTube Studio: answer it") from error
            raise
        finally:
            reminder.cancel()
        return str(answer.get("authenticationToken", ""))

    def _cure(self) -> str:
        plugin = self._plugin["pluginName"]
        return f"VTube Studio's user denied '{plugin}': start the show again and press Allow in the pop-up"

    async def _load(self, calls: Calls) -> None:
        """Put the wished model on, when it is there and is not on already."""
        if not self._model:
            return
        wished = self._model.casefold()
        models = listed(await calls.ask("AvailableModels"), "availableModels")
        keys = ("modelID", "modelName")
        found = next((m for m in models if wished in [str(m.get(k)).casefold() for k in keys]), None)
        if found is None:
            names = ", ".join(str(m.get("modelName")) for m in models)
            log.warning("no such model; the one that is on stays", extra={"model": self._model, "has": names})
        elif not found.get("modelLoaded"):
            await calls.ask("ModelLoad", {"modelID": found.get("modelID")}, timeout=LOAD_S)

    async def _inject(self, calls: Calls) -> None:
        """Send the newest pose and wait for its answer; an old one again when there is no newer."""
        with anyio.move_on_after(self._keep):
            await self._posed.wait()
        self._posed = anyio.Event()
        values = {name: value for name, value in self._pose.items() if name not in self._dropped}
        if not values:
            return
        try:
            await calls.ask("InjectParameterData", injection(values))
            self.injected += 1
        except Denied as error:
            if error.number not in (UNKNOWN_PARAMETER, FOREIGN_PARAMETER):
                raise
            await self._sort_out(calls, values)

    async def _sort_out(self, calls: Calls, values: Mapping[str, float]) -> None:
        """One bad parameter fails the whole request and nothing says which: try each by itself, once."""
        for name, value in values.items():
            try:
                await calls.ask("InjectParameterData", injection({name: value}))
            except Denied as error:
                if error.number not in (UNKNOWN_PARAMETER, FOREIGN_PARAMETER):
                    raise
                self._dropped.add(name)
                if name not in self._reported:
                    self._reported.add(name)
                    log.warning("parameter left out", extra={"parameter": name, "why": error.message})
