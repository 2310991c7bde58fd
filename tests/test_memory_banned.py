"""Who is banned: all their lines of this show leave the memory, also those that stand in no list any more."""

from pathlib import Path

import anyio
import pytest

from glue.chat_events import LinesRemoved
from glue.events import ChatLine, Ending, LineArrived, Source, TurnEnded, TurnStarted
from glue.memory.lines import LAST
from glue.memory.store import Store
from tests.test_memory_durable import memory, texts, traces
from tests.wires.memory_servers import Notes

pytestmark = pytest.mark.anyio


def line(id: str, text: str, who: str = "troll", source: Source = Source.TWITCH) -> ChatLine:
    return ChatLine(id, who, text, source, author_id=f"u-{who}")


async def test_the_oldest_line_of_a_banned_viewer_is_forgotten_and_no_other(tmp_path: Path) -> None:
    async with memory(tmp_path, Notes()) as before:
        before.show(LineArrived(0.0, line("0", "I collect old stamps")))
    async with memory(tmp_path, Notes()) as made:
        said = line("1", "my cat is called Biscuit")
        made.show(LineArrived(0.0, said))
        made.show(TurnStarted(0.0, "main", "t", said, False))
        made.show(TurnEnded(0.0, "main", "t", Ending.FINISHED, "Biscuit!", "Biscuit!"))
        made.show(LineArrived(0.0, line("2", "my dog is called Rex", source=Source.YOUTUBE)))
        for number in range(LAST + 1):  # by then no list has the first
            made.show(LineArrived(0.0, line(f"m{number}", "hello", "mira")))
        async with anyio.create_task_group() as tg:
            filed = anyio.Event()
            tg.start_soon(made.runs()["memory file"], filed.set)
            with anyio.fail_after(60):
                await filed.wait()
            tg.cancel_scope.cancel()
        assert traces(tmp_path, "Biscuit")
        assert [each["text"] for each in made.found("Biscuit")]
        made.show(LinesRemoved(1.0, (), "twitch:u-troll"))
        assert not made.found("Biscuit"), "at once"
    assert not traces(tmp_path, "Biscuit"), "and for ever"
    assert texts(tmp_path) == ["troll collects old stamps", "troll's dog is called Rex"]


async def test_of_a_banned_viewer_nothing_waits_to_be_learnt_from(tmp_path: Path) -> None:
    async with memory(tmp_path, Notes()) as made:
        for number, (who, text) in enumerate(
            [("troll", "we got a kitten, Biscuit"), ("mira", "so did we, Bo")]
        ):
            said = line(str(number), text, who)
            made.show(TurnStarted(0.0, "main", f"t{number}", said, False))
            made.show(TurnEnded(0.0, "main", f"t{number}", Ending.FINISHED, "Aww.", "Aww."))
        made.show(LinesRemoved(1.0, (), "twitch:u-troll"))
    store = Store(tmp_path)
    assert [exchange.author for _, exchange in store.waiting()] == ["mira"]
    store.close()
