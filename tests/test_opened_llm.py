"""A small model opens, the main one goes on: one answer without a seam, whoever fails; in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import anyio
import pytest
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from glue.closing import closing
from glue.errors import ConfigError, PortError, Unreachable
from glue.events import ReplyOpened
from glue.mind.opened_llm import OpenedLlm
from glue.mind.opening import Opening
from glue.ports import Message, Opened, Prompt, Role, Sampled, Usage
from glue.settings import When
from tests.core import Scene, SlowLlm

pytestmark = pytest.mark.anyio
PROMPT = Prompt("main", (Message("user", "mika: hi"),))
SMALL = ("Oh", " Mika", ",", " you", " came", " back", " with", " a", " new", " hat", " and", " cake", ".")
OPENING = "Oh Mika, you came back with a new hat and"  # of twelve tokens; the last may be half a word


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@dataclass
class Model:
    """Says `words` to a plain prompt and `goes_on` to one with an opening."""

    words: Sequence[str] = SMALL
    goes_on: Sequence[str] = (" train", " set", ".")
    first: float = 0.03
    each: float = 0.02
    evaluates: float = 0.2  # seconds a warm() takes
    fails_at: int = -1  # the piece in whose place it breaks; -1: never
    hangs_at: int = -1  # the piece before which it says nothing for a minute
    vocabulary: Sequence[str] = SMALL  # a token is its place in here
    asked: list[tuple[Prompt, Role]] = field(default_factory=list)
    warmed: list[Prompt] = field(default_factory=list)
    unfinished: int = 0
    finished: int = 0

    @property
    def working(self) -> int:
        return len(self.asked) - self.finished - self.unfinished

    async def stream(self, prompt: Prompt, role: Role = Role.SPEECH) -> AsyncIterator[str | Usage]:
        self.asked.append((prompt, role))
        done = False
        try:
            await anyio.sleep(self.first)
            said = self.goes_on if prompt.opening else self.words
            for number, word in enumerate(said[: prompt.max_tokens]):
                if number == self.fails_at:
                    raise Unreachable("llm", "gone")
                if number == self.hangs_at:
                    await anyio.sleep(60)
                told = prompt.tell_ids and word in self.vocabulary
                yield Sampled(word, [self.vocabulary.index(word)]) if told else word
                await anyio.sleep(self.each)
            if self.fails_at >= len(said):
                raise Unreachable("llm", "gone")
            yield Usage(100, 90, len(said))
            done = True
        finally:
            self.unfinished += not done
            self.finished += done

    async def warm(self, prompt: Prompt) -> int:
        self.warmed.append(prompt)
        await anyio.sleep(self.evaluates)
        return 1

    async def settle(self, prompt: Prompt) -> int:
        return await self.warm(prompt)

    def still(self) -> AbstractContextManager[None]:
        return nullcontext()

    async def count(self, text: str) -> int:
        return 0

    async def read(self, ids: Sequence[int]) -> str:
        await anyio.sleep(0.001)
        return "".join(self.vocabulary[id] for id in ids if id < len(self.vocabulary))


def slow(**changes: object) -> Model:
    """A model of 4 tokens a second."""
    return Model(**{"words": ("Main", " speaks", " alone", "."), "first": 0.5, "each": 0.24, **changes})  # type: ignore[arg-type]


async def said(llm: OpenedLlm, prompt: Prompt = PROMPT) -> tuple[str, str, float]:
    """The whole text, what was said to be the opening, and when the first piece came."""
    text, opened, began, first = "", "", anyio.current_time(), -1.0
    async with closing(llm.stream(prompt)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Opened):
                opened = piece.text
            elif isinstance(piece, str):
                first = first if text else anyio.current_time() - began
                text += piece
    return text, opened, first


async def test_the_small_model_begins_and_the_main_one_ends_the_same_sentence() -> None:
    main, small = slow(), Model()
    async with OpenedLlm(main, small, When.always) as llm:
        text, opened, first = await said(llm)
    assert text == f"{OPENING} train set."
    assert opened == OPENING
    assert first < 0.1
    assert [prompt.opening for prompt, _ in main.asked] == [OPENING]


async def test_the_large_model_does_not_work_while_the_small_one_speaks() -> None:
    main, small = slow(), Model()
    async with OpenedLlm(main, small, When.always) as llm:
        async with closing(llm.stream(PROMPT)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Opened):
                    break
            assert not main.asked and not small.unfinished  # a hang-up might go unnoticed for a second
    assert not main.warmed


@pytest.mark.parametrize("goes_on", [(",", " at", " last", "."), ("'s", " hat", "."), (" hat", ".")])
async def test_the_seam_holds_no_space_that_nobody_wrote(goes_on: Sequence[str]) -> None:
    async with OpenedLlm(slow(goes_on=goes_on), Model(), When.always) as llm:
        text, _, _ = await said(llm)
    assert text == OPENING + "".join(goes_on)


async def test_a_main_model_that_has_nothing_to_add_leaves_a_whole_sentence() -> None:
    small = Model(words=("You", " are", " late", " Mika", "!", " Sit"), goes_on=("never",))
    async with OpenedLlm(slow(goes_on=()), small, When.always) as llm:
        text, opened, _ = await said(llm)
    assert text == opened == "You are late Mika!"


async def test_half_a_sentence_is_ended_by_the_model_that_began_it() -> None:
    small = Model(goes_on=(" ribbon", "."))
    async with OpenedLlm(slow(goes_on=()), small, When.always) as llm:
        text, _, _ = await said(llm)
    assert text == f"{OPENING} ribbon."


@pytest.mark.parametrize("broken", [slow(fails_at=0), slow(first=30.0)])
async def test_a_main_model_that_fails_or_hangs_is_done_without(broken: Model) -> None:
    async with OpenedLlm(broken, Model(goes_on=(" ribbon", ".")), When.always, patience=2.0) as llm:
        text, _, _ = await said(llm)
    assert text == f"{OPENING} ribbon."


async def test_a_main_model_that_breaks_in_the_middle_breaks_the_answer() -> None:
    async with OpenedLlm(slow(fails_at=1), Model(), When.always) as llm:
        with pytest.raises(PortError):
            await said(llm)


@pytest.mark.parametrize("broken", [Model(fails_at=0), Model(first=5.0), Model(words=())])
async def test_a_small_model_that_fails_or_is_slow_lets_the_main_one_speak(broken: Model) -> None:
    async with OpenedLlm(slow(), broken, When.always) as llm:
        text, opened, first = await said(llm)
    assert (text, opened) == ("Main speaks alone.", "")
    assert first < 0.8 + 0.5 + 0.1


@pytest.mark.parametrize("broken", [Model(fails_at=5), Model(hangs_at=5)])
async def test_a_small_model_that_breaks_off_is_continued_from_its_last_whole_word(broken: Model) -> None:
    """A server's own patience is five seconds, and the words that were spoken last for two."""
    began = anyio.current_time()
    async with OpenedLlm(slow(goes_on=(" here", ".")), broken, When.always) as llm:
        text, opened, _ = await said(llm)
    assert opened == "Oh Mika, you" and text == "Oh Mika, you here."
    assert anyio.current_time() - began < 2.5


async def test_a_reader_that_takes_its_time_is_no_models_fault() -> None:
    async with OpenedLlm(slow(), Model(), When.always) as llm:
        text = ""
        async with closing(llm.stream(PROMPT)) as pieces:
            async for piece in pieces:
                text += piece if isinstance(piece, str) else ""
                await anyio.sleep(1.0)
    assert text == f"{OPENING} train set."


@pytest.mark.parametrize("after", [0.0, 0.1, 0.25, 0.5, 1.0])
async def test_closing_it_stops_both(after: float) -> None:
    main, small = slow(goes_on=[" on"] * 50), Model()
    async with OpenedLlm(main, small, When.always) as llm:
        with anyio.move_on_after(after):
            await said(llm)
        await anyio.sleep(0.001)
        assert not main.working and not small.working
        began = anyio.current_time()
    assert anyio.current_time() == began


async def test_auto_asks_for_an_opener_only_where_the_main_model_is_too_slow() -> None:
    quick, small = Model(), Model()
    async with OpenedLlm(quick, small, When.auto) as llm:
        await llm.settle(PROMPT)
        _, opened, _ = await said(llm)
        assert opened == "" and not small.asked
    async with OpenedLlm(slow(), small, When.auto) as llm:
        await llm.settle(PROMPT)
        _, opened, _ = await said(llm)
        assert opened == OPENING


async def test_never_is_the_main_model_alone() -> None:
    small = Model()
    async with OpenedLlm(slow(), small, When.never) as llm:
        text, opened, first = await said(llm)
        await llm.warm(PROMPT)
    assert (text, opened) == ("Main speaks alone.", "")
    assert first == pytest.approx(0.5)
    assert not small.asked and not small.warmed


@pytest.mark.parametrize("when", [When.always, When.auto])
@pytest.mark.parametrize("role", [Role.BACKGROUND, Role.ACT, Role.URGENT])
async def test_background_work_and_decisions_are_the_small_models(role: Role, when: When) -> None:
    main, small = slow(), Model()
    async with OpenedLlm(main, small, when) as llm:
        assert [piece async for piece in llm.stream(PROMPT, role)]
    assert [asked for _, asked in small.asked] == [role] and not main.asked


async def test_background_work_waits_until_both_have_spoken() -> None:
    """On one machine they share the memory: beside the main model it takes half of that one's pace."""
    main, small = slow(), Model(words=("note",) * 400)
    async with OpenedLlm(main, small, When.always) as llm, anyio.create_task_group() as tg:

        async def learn() -> None:
            assert len([piece async for piece in llm.stream(PROMPT, Role.BACKGROUND)]) > 100

        tg.start_soon(learn)
        await anyio.sleep(1)
        assert small.working == 1
        async with closing(llm.stream(PROMPT)) as pieces:
            async for _ in pieces:
                assert [role for _, role in small.asked].count(Role.BACKGROUND) == 1
        assert main.asked and small.unfinished == 1
    assert [role for _, role in small.asked].count(Role.BACKGROUND) == 2


class Deaf(Model):
    """Nobody answers there."""

    async def warm(self, prompt: Prompt) -> int:
        raise Unreachable("llm", "connection refused")


async def test_a_small_model_that_is_not_there_takes_nothing_from_the_main_one() -> None:
    main = slow()
    async with OpenedLlm(main, Deaf(), When.always) as llm:
        await llm.settle(PROMPT)
        await llm.warm(PROMPT)
    assert len(main.warmed) == 2


async def test_a_turn_speaks_both_with_one_voice_and_tells_who_began() -> None:
    scene = Scene()
    words = ("Oh ", "hello ", "Mika, ", "how ", "are ", "you ", "all ", "on ", "thi")
    main = Model(goes_on=(" trains", " today", "."), first=0.5, each=0.24)
    async with OpenedLlm(main, SlowLlm(words=words), When.always) as llm:
        scene.llm = llm  # type: ignore[assignment]
        turn = scene.turn()
        async with anyio.create_task_group() as tg:
            tg.start_soon(scene.mixer.run)
            ended = await turn.run(anyio.current_time())
            tg.cancel_scope.cancel()
    assert ended.said == "Oh hello Mika, how are you all on trains today."
    opened = [event.text for event in scene.events if isinstance(event, ReplyOpened)]
    assert opened == ["Oh hello Mika, how are you all on"]


@pytest.mark.parametrize("changes", [{"words": 1}, {"soon": 0.0}, {"patience": -1.0}])
def test_senseless_numbers_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        OpenedLlm(Model(), Model(), **changes)  # type: ignore[arg-type]


@given(st.lists(st.text(alphabet="ab. !,'\n", max_size=6), max_size=30))
def test_what_was_handed_out_begins_what_is_continued(pieces: list[str]) -> None:
    opening, out = Opening(), ""
    for piece in pieces:
        out += opening.feed(piece)
        assert opening.text.startswith(out.rstrip())
    opening.end()
    out += opening.rest()
    assert out == opening.text == " ".join(out.split())
    assert "".join(pieces).split()[: len(out.split())] == out.split()
