"""What all connections share: the parameters, what she wears, who is connected, which pages look."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from engines.avatar.inputs import Plugin
from engines.avatar.models import Wardrobe
from engines.avatar.parameters import Parameters
from engines.avatar.tokens import Tokens
from engines.avatar.wire import ApiError, Data, answer

VERSION = "1.32.0"  # of VTube Studio: the API that is followed
EVENTS_KEPT = 64  # for a plugin that does not read them; the newest


@dataclass(eq=False, slots=True)
class Client:
    """One connection of a plugin."""

    plugin: Plugin | None = None  # None: not authenticated
    events: dict[str, Data] = field(default_factory=dict)  # what it subscribed to, with the config
    outbox: deque[str] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT))
    mail: asyncio.Event = field(default_factory=asyncio.Event)

    def known(self) -> Plugin:
        """Its plugin. Raises ApiError 8."""
        if self.plugin is None:
            raise ApiError(8, "this request needs an authenticated session: send an AuthenticationRequest")
        return self.plugin

    def tell(self, event: str, data: Data) -> None:
        """Put an event where its writer finds it."""
        self.outbox.append(answer("", event, data))
        self.mail.set()


@dataclass(eq=False, slots=True)
class Puppet:
    """The shared state. `changed` tells the pages; `now` everywhere is the loop's monotonic time."""

    wardrobe: Wardrobe
    tokens: Tokens
    port: int
    began: float
    parameters: Parameters = field(default_factory=Parameters)
    clients: set[Client] = field(default_factory=set)
    pages: set[asyncio.Event] = field(default_factory=set)
    injected: asyncio.Event = field(default_factory=asyncio.Event)
    face: bool = False  # as the subscribers know it

    def changed(self) -> None:
        """Wake every page: it works out by itself what is new for it."""
        for page in self.pages:
            page.set()

    def announce(self, event: str, data: Data, wanted: Callable[[Data], bool] = lambda config: True) -> None:
        """Tell every plugin that subscribed to `event` with a config for which it is wanted."""
        for client in self.clients:
            if event in client.events and wanted(client.events[event]):
                client.tell(event, data)
