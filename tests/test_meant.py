"""Which lines of a public chat are for her, and which call her."""

import json

import anyio
import pytest

from glue.chat_events import Deed
from glue.decisions import Close, Speak
from glue.director import Director
from glue.events import ChatLine, Event, Fate, Source
from glue.games.messages import read
from glue.games.neuro import NeuroGames
from glue.games.rules import Rules
from glue.meant import Meant
from glue.parts import Parts
from tests.games import PASS, Oracle

pytestmark = pytest.mark.anyio
DIG = {"name": "dig", "description": "Dig here."}


class Account:
    """An adapter that says under which names she stands in its chat."""

    def accounts(self) -> tuple[str, ...]:
        return ("Luna_Live",)


def director(meant: Meant | None = None) -> Director:
    parts = Parts()
    parts.add(Account())
    return Director(["main"], names={"main": "Luna"}, meant=meant or parts.meant(["@luna-tv", "Lulu", ""]))


def line(text: str, source: Source = Source.TWITCH, deed: Deed | None = None) -> ChatLine:
    return ChatLine(text, "mika", text, source, deed=deed)


@pytest.mark.parametrize(
    "text",
    [
        "!lurk",
        "!so bob",
        " !Points",
        "@bob i know, right?",
        "@bob",
        "@bob @ann you two are great",
        "@lu what do you think?",
        "@bob luna said so",
    ],
)
@pytest.mark.parametrize("source", [Source.TWITCH, Source.YOUTUBE])
def test_what_a_bot_or_another_viewer_is_told_is_not_for_her(text: str, source: Source) -> None:
    said = line(text, source)
    assert director().hear(said, 1.0) == [Close(text, Fate.IGNORED)]
    assert director().hear(line(text, Source.CONSOLE), 1.0) == []


@pytest.mark.parametrize(
    "text",
    [
        "@Luna hi",
        "@luna_live how are you",
        "@LunaVT how are you",
        "@Luna-TV hi",
        "@lulu hi",
        "@bob @luna you two are great",
        "i told @bob that trains are slow",
        "!luna dance",
        "! what a move",
        "!!! omg",
        "@ the beach now",
    ],
)
def test_what_she_is_told_is(text: str) -> None:
    assert director().hear(line(text), 1.0) == []


def test_a_short_name_is_not_the_beginning_of_anothers() -> None:
    d = Director(["main"], names={"main": "Al"})
    fates = [bool(d.hear(line(text), 1.0)) for text in ("@al hi", "@al, hello", "@alan hi", "@al_x hi")]
    assert fates == [False, False, True, True]


def test_thanks_are_for_her_however_the_words_begin() -> None:
    assert director().hear(line("!lurk", deed=Deed.SUB), 1.0) == []


@pytest.mark.parametrize("text", ["@Luna_Live nice hat", "nice hat, lulu", "nice hat @luna-tv."])
def test_who_writes_to_her_account_or_her_nickname_calls_her(text: str) -> None:
    d = director()
    d.hear(line("do you like cheese?"), 1.0)
    d.hear(line(text), 1.0)
    (decision,) = d.decide(1.0)
    assert isinstance(decision, Speak) and decision.line.text == text


def test_a_channel_that_is_called_as_a_word_is_called_with_an_at() -> None:
    meant = Meant(accounts=lambda: ("gaming",))
    assert (meant.called("i like gaming, @bob"), meant.called("hi @Gaming!")) == ([], ["gaming"])


@pytest.mark.parametrize("hears", [True, False])
async def test_a_wish_in_a_game_that_hears_chat_is_no_bots_command(hears: bool) -> None:
    rules, heard = Rules(hears=hears), list[Event]()
    async with NeuroGames(
        Oracle(), {"main": "Luna"}, lambda who, text: "", heard.append, port=0, rules=rules
    ) as games:
        parts = Parts()
        parts.add(games)
        d = Director(["main"], names={"main": "Luna"}, meant=parts.meant([]))
        assert d.hear(line("!dig"), 1.0) == [Close("!dig", Fate.IGNORED)], "nothing is played yet"
        games.joined("main", "Diggers", "s", lambda command, data: None)
        frame = {"command": "actions/register", "game": "Diggers", "data": {"actions": [DIG, PASS]}}
        games.told("main", read(json.dumps(frame)), anyio.current_time())
        assert bool(d.hear(line("!dig"), 2.0)) is not hears
        assert d.hear(line("!lurk"), 2.0) == [Close("!lurk", Fate.IGNORED)]
