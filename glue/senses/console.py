"""WORLD -> EVENTS: what the operator's pages send, as lines of chat and pressed buttons."""

import logging
from collections.abc import AsyncIterator
from itertools import count
from types import TracebackType
from typing import Self

from glue.closing import closing
from glue.desk_events import OperatorAsked, Wish
from glue.desk_ports import Desk, DeskMessage
from glue.events import Button, ButtonPressed, ChatLine, Event, LineArrived, Source
from glue.game_events import GameButton, GamePressed
from glue.senses.clean import clean, name

log = logging.getLogger(__name__)

BUTTONS = {button.value: button for button in Button}
WISHES = {wish.value: wish for wish in Wish}


class ConsoleSense:
    """The Sense port over a Desk."""

    endless = True  # a page may be opened at any time

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._numbers = count(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close: the desk is the console's."""

    async def events(self) -> AsyncIterator[Event]:
        """The Sense port."""
        async with closing(self._desk.received()) as messages:
            async for message in messages:
                if event := self._read(message):
                    yield event

    def _read(self, message: DeskMessage) -> Event | None:
        """A message as an event; None for an empty line and for what a desk should not have let in."""
        if message.kind == "button" and (button := BUTTONS.get(message.text)):
            return ButtonPressed(message.at, button)
        if message.kind == "wish" and (wish := WISHES.get(message.author)):
            return OperatorAsked(message.at, wish, clean(message.text).text)
        if message.kind == "game":
            pressed, _, text = message.text.partition(" ")
            return GamePressed(message.at, clean(message.author).text, GameButton(pressed), clean(text).text)
        if message.kind != "chat":
            return None
        said = clean(message.text)
        if said.cut:
            log.info("a line was too long: %d characters were cut", said.cut)
        if not said.text:
            return None
        line_id = f"console-{next(self._numbers)}"
        return LineArrived(message.at, ChatLine(line_id, name(message.author), said.text, Source.CONSOLE))
