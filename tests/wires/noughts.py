"""Noughts and crosses as an integration, on a client of the wire that is not ours (neuro-api)."""

from __future__ import annotations

import json
from random import Random

from neuro_api.api import AbstractNeuroAPI, NeuroAction, NeuroStartupData
from neuro_api.command import Action, ForcePriority
from websockets.asyncio.client import ClientConnection

LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]


class Noughts(AbstractNeuroAPI):
    """She is X and begins; O plays by chance. `mistakes`: so many of her moves are refused at first."""

    def __init__(
        self, socket: ClientConnection, seed: int = 1, mistakes: int = 0, title: str = "Noughts"
    ) -> None:
        super().__init__(title)
        self.board = [" "] * 9
        self.session: NeuroStartupData | None = None
        self.moves: list[int] = []
        self.illegal = 0
        self.over = ""
        self._socket = socket
        self._random = Random(seed)
        self._mistakes = mistakes

    async def write_to_websocket(self, data: str) -> None:
        await self._socket.send(data)

    async def read_from_websocket(self) -> str | bytes:
        return await self._socket.recv()

    async def handle_startup_acknowledgement(self, startup_ack: NeuroStartupData) -> None:
        self.session = startup_ack

    def free(self) -> list[int]:
        return [cell for cell, mark in enumerate(self.board) if mark == " "]

    async def play(self) -> None:
        """A whole game, to its end."""
        await self.send_startup_command()
        await self.send_context("A new game begins. You are X.", silent=True)
        await self.turn()
        while not self.over:
            await self.read_message()

    async def turn(self) -> None:
        """Her move: the cells that are left are the schema's enum."""
        cells = {"type": "object", "properties": {"cell": {"enum": self.free()}}, "required": ["cell"]}
        await self.register_actions([Action("place", "Put an X into a cell.", cells)])  # type: ignore[arg-type]
        rows = "\n".join("|".join(self.board[start : start + 3]) for start in (0, 3, 6))
        await self.send_force_action(rows, "It is your turn.", ["place"], True, ForcePriority.LOW)

    async def handle_action(self, action: NeuroAction) -> None:
        cell = json.loads(action.data or "{}").get("cell")
        if action.name != "place" or cell not in self.free():
            self.illegal += 1
            await self.send_action_result(action.id_, False, "That cell is not free.")
            return
        if self._mistakes:
            self._mistakes -= 1
            await self.send_action_result(action.id_, False, "Your hand slipped. Try again.")
            return
        await self.unregister_actions(["place"])
        await self.send_action_result(action.id_, True, "")
        self.moves.append(cell)
        self.put(cell, "X")
        if not self.over:
            self.put(self._random.choice(self.free()), "O")
        if self.over:
            await self.send_context(f"The game is over: {self.over}.", silent=False)
        else:
            await self.turn()

    def put(self, cell: int, mark: str) -> None:
        self.board[cell] = mark
        if any(all(self.board[each] == mark for each in row) for row in LINES):
            self.over = f"{mark} wins"
        elif not self.free():
            self.over = "a draw"
