"""The language model: first token, pace, prefill, cached prefix, persona switch."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx

from engines.bench.dialects import PERSONAS, Asked, Server
from engines.bench.openai_wire import Answer, ask, client, wire
from engines.bench.options import Options
from engines.bench.rows import FLOOR, Row, ms, row
from engines.bench.texts import Texts
from engines.bench.together import together

PART = "llm"
FIRST = "first token"
SAME, SWITCHED = "same persona again", "persona switched"
NEW, AGAIN = ", new", ", again"
SHORT = 2  # tokens of an answer whose first one alone is timed


@dataclass(frozen=True, slots=True)
class Client:
    """One of those who ask at the same time."""

    number: int
    http: httpx.AsyncClient


class LlmBench:
    """The cases against one server. `texts` gives prompts that it has not seen."""

    def __init__(self, server: Server, options: Options, texts: Texts) -> None:
        self._server, self._options, self._texts = server, options, texts
        self.rows: list[Row] = []  # what was measured so far
        self._prompts: dict[int, list[int]] = {}  # tokens of the last prompts, by their words

    async def run(self, say: Callable[[str], None]) -> list[Row]:
        """Every case under every number of clients. Raises BenchFailed."""
        for count in self._options.clients:
            say(f"llm: {count} clients")
            async with AsyncExitStack() as stack:
                clients = [
                    Client(number, await stack.enter_async_context(client(self._server)))
                    for number in range(count)
                ]
                await together(clients, count, self._warm)
                for cases in (self._wire, self._new, self._prefix, self._personas):
                    self.rows += await cases(clients)
        return self.rows

    def notes(self) -> list[str]:
        """What a reader of the rows should know."""
        said = [f"{self._server.dialect.value} dialect, model {self._server.model}"]
        said += [
            f"a prompt of {words} words has {sum(tokens) / len(tokens):.0f} tokens"
            for words, tokens in self._prompts.items()
            if tokens
        ]
        if self._server.adapters:
            said.append(f"personas are LoRAs: {' and '.join(self._server.adapters)}")
        else:
            said.append("personas are prompts alone: the server has no two adapters that are known here")
        most = max(self._options.clients)
        if 0 < self._server.slots < PERSONAS * most:
            said.append(
                f"it has {self._server.slots} slots: with over {self._server.slots // PERSONAS} clients"
                f" prefixes push each other out (slots={PERSONAS * most} would hold them)"
            )
        return [*said, *_differences(self.rows)]

    async def _warm(self, one: Client, number: int) -> None:
        await self._ask(one, self._texts.words(8), SHORT)

    async def _wire(self, clients: Sequence[Client]) -> list[Row]:
        async def once(one: Client, number: int) -> float:
            return await wire(one.http, self._server)

        took = await together(clients, self._options.rounds, once)
        return [row(PART, FLOOR, "wire alone: list of models", len(clients), "ms", ms(took))]

    async def _new(self, clients: Sequence[Client]) -> list[Row]:
        rows = []
        for words in self._options.prompts:

            async def once(one: Client, number: int, words: int = words) -> Answer:
                return await self._ask(one, self._texts.words(words), self._options.tokens)

            began = time.perf_counter()
            answers = await together(clients, self._options.rounds, once)
            whole = sum(each.tokens for each in answers) / (time.perf_counter() - began)
            case, count = f"new prompt, {words} words", len(clients)
            rows.append(row(PART, FIRST, case, count, "ms", ms(each.first for each in answers)))
            if paces := [each.pace for each in answers if each.pace is not None]:
                rows.append(row(PART, "decode", case, count, "tok/s", paces))
            fills = [(each.prompt - each.cached) / each.first for each in answers if each.prompt]
            rows.append(row(PART, "decode, all clients", case, count, "tok/s", [whole]))
            self._prompts[words] = [each.prompt for each in answers if each.prompt]
            if fills:  # the first token's own pass is in it, so this is the least
                rows.append(row(PART, "prefill", case, count, "tok/s", fills))
        return rows

    async def _prefix(self, clients: Sequence[Client]) -> list[Row]:
        """A new prefix, and the same again behind another line: in turns, so that noise meets both."""
        words = max(self._options.prompts)

        async def once(one: Client, number: int) -> tuple[Answer, Answer]:
            prefix = self._texts.words(words)
            return await self._ask(one, prefix, SHORT), await self._ask(one, prefix, SHORT)

        pairs = await together(clients, self._options.rounds, once)
        news, again = zip(*pairs, strict=True)
        case = f"prefix of {words} words"
        count = len(clients)
        rows = [
            row(PART, FIRST, case + NEW, count, "ms", ms(each.first for each in news)),
            row(PART, FIRST, case + AGAIN, count, "ms", ms(each.first for each in again)),
        ]
        if shares := [100 * each.cached / each.prompt for each in again if each.prompt]:
            rows.append(row(PART, "prompt from the cache", case + AGAIN, count, "% cached", shares))
        return rows

    async def _personas(self, clients: Sequence[Client]) -> list[Row]:
        """Two personas in the order A A B B: every other request is a switch."""
        prefixes = [self._texts.words(max(self._options.prompts)) for _ in range(PERSONAS)]
        orders = [itertools.cycle((0, 0, 1, 1)) for _ in clients]
        before = [PERSONAS - 1] * len(clients)

        async def first(one: Client, persona: int) -> Answer:
            return await self._ask(one, prefixes[persona], SHORT, persona)

        async def once(one: Client, number: int) -> tuple[bool, Answer]:
            persona = next(orders[one.number])
            switched, before[one.number] = persona != before[one.number], persona
            return switched, await first(one, persona)

        async def warm(one: Client, number: int) -> None:
            for persona in range(PERSONAS):
                await first(one, persona)

        await together(clients, len(clients), warm)
        found = await together(clients, 2 * self._options.rounds, once)
        cases = {False: SAME, True: SWITCHED}
        took = {case: [each.first for switched, each in found if switched is case] for case in cases}
        return [
            row(PART, FIRST, name, len(clients), "ms", ms(took[case]))
            for case, name in cases.items()
            if took[case]
        ]

    async def _ask(self, one: Client, system: str, tokens: int, persona: int = 0) -> Answer:
        asked = Asked(system, self._texts.line(), tokens, persona, PERSONAS * one.number + persona)
        return await ask(one.http, self._server, asked, self._options.timeout_s)


def _differences(rows: Sequence[Row]) -> list[str]:
    """What a switch adds and what a cached prefix saves, by the medians of one run."""
    medians = {(each.case, each.clients): each.at(50) for each in rows if each.what == FIRST}
    said = []
    for case, clients in medians:
        if case == SWITCHED and (same := medians.get((SAME, clients))):
            adds = medians[case, clients] - same
            said.append(f"a switch of persona adds {adds:.1f} ms to the first token, {clients} at once")
        if case.endswith(AGAIN) and (new := medians.get((case.removesuffix(AGAIN) + NEW, clients))):
            said.append(
                f"a cached prefix: {new / medians[case, clients]:.1f} times sooner, {clients} at once"
            )
    return said
