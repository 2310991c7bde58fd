"""Nobody is kept from an answer by louder ones, nor these by many plain lines. Time is an argument."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from glue.decisions import Close, Speak
from glue.director import Director
from glue.events import ChatLine, Fate, Source
from glue.settings import DirectorSettings

REPLY = 4.0  # seconds of one
Came = Callable[[int], list[ChatLine]]  # what comes in a second


def line(text: str, author: str) -> ChatLine:
    return ChatLine(f"{author}:{text}", author, text, Source.TWITCH, author_id=author)


def loud(second: int) -> list[ChatLine]:
    return [line(f"Spark, what do you think of number {second}?", f"loud{second}")]


def evening(seconds: int, came: Came) -> tuple[list[str], list[str]]:
    """Who was answered, in turn, and whose line was let go."""
    d, answered, gone = Director(["main"], DirectorSettings()), list[str](), list[str]()
    for second in range(seconds):
        for new in came(second):
            d.hear(new, float(second))
        if second % REPLY == 0:
            d.ended(float(second))
        for decision in d.decide(float(second)):
            match decision:
                case Speak(line=chosen):
                    answered.append(chosen.author)
                case Close(line_id=id, fate=Fate.IGNORED):
                    gone.append(id.partition(":")[0])
    return answered, gone


def test_a_plain_line_is_answered_while_each_second_brings_a_question_of_somebody_new() -> None:
    def came(second: int) -> list[ChatLine]:
        shy = [line(f"i like trains quite a lot, all {second} of them", f"shy{second}")]
        return [*loud(second), *(shy if second % 30 == 10 else [])]

    answered, gone = evening(300, came)
    for second in range(10, 250, 30):
        assert f"shy{second}" in answered and f"shy{second}" not in gone
    assert sum(who.startswith("loud") for who in answered) >= 0.8 * len(answered)


def test_many_plain_lines_take_one_reply_of_five() -> None:
    def came(second: int) -> list[ChatLine]:
        return [
            *loud(second),
            *(line(f"i like number {second} {n} a lot", f"shy{second}-{n}") for n in "abc"),
        ]

    answered, _ = evening(300, came)
    shy = [who.startswith("shy") for who in answered]
    assert 0.15 < sum(shy) / len(shy) < 0.25
    assert not any(a and b for a, b in pairwise(shy))


@pytest.mark.parametrize("text", ["lol", "aaaaaaaa", "!!!", "W"])
def test_a_shout_has_no_share(text: str) -> None:
    answered, _ = evening(200, lambda second: [*loud(second), line(text, f"shy{second}")])
    assert not any(who.startswith("shy") for who in answered)


def test_who_was_answered_before_has_no_share() -> None:
    def came(second: int) -> list[ChatLine]:
        again = line(f"i like number {second} a lot", "shy")
        return [again] if second == 0 else [*loud(second), *([again] if second % 10 == 5 else [])]

    answered, _ = evening(300, came)
    assert answered.count("shy") == 1 and answered[0] == "shy"


def passed_over() -> Director:
    """One before whom four louder lines were answered while a plain one waits."""
    d = Director(["main"], DirectorSettings())
    d.hear(line("i like trains quite a lot", "shy"), 0.0)
    for second in range(1, 5):
        d.hear(loud(second)[0], float(second))
        assert spoken(d, float(second)) == [f"loud{second}"]
        d.ended(second + 0.5)
    return d


def test_a_voice_comes_first() -> None:
    d = passed_over()
    d.hear(ChatLine("now", "mic", "Spark, and you?", Source.VOICE), 5.0)
    assert spoken(d, 5.0) == ["mic"]
    d.ended(6.0)
    d.hear(loud(6)[0], 6.0)
    assert spoken(d, 6.0) == ["shy"]


@pytest.mark.parametrize("put_back", [Director.again, lambda d: d.postpone(2.0)], ids=["gave way", "away"])
def test_who_is_put_back_has_not_been_answered(put_back: Callable[[Director], None]) -> None:
    d = Director(["main"], DirectorSettings())
    d.hear(line("do you like trains?", "mika"), 0.0)
    assert spoken(d, 0.0) == ["mika"]
    put_back(d)
    d.ended(2.0)
    d.hear(line("do you like cats?", "bo"), 2.0)
    first, second = d.standing(3.5)
    assert (first[0].line.author, second[0].line.author) == ("mika", "bo"), "she waits for longer"
    assert spoken(d, 3.5) == ["mika" if put_back is Director.again else "bo"], "who failed lets others try"


def test_who_was_answered_and_is_put_back_was_answered_then() -> None:
    d = Director(["main"], DirectorSettings())
    d.hear(line("do you like trains?", "mika"), 0.0)
    assert spoken(d, 0.0) == ["mika"]
    d.ended(2.0)
    d.hear(line("and what of cats?", "mika"), 30.0)
    (waiting,) = d.standing(30.0)
    assert spoken(d, 30.0) == ["mika"]
    d.again()
    assert [score for _, score in d.standing(30.0)] == [waiting[1]]


def test_who_is_put_back_keeps_her_share() -> None:
    d = passed_over()
    d.hear(loud(5)[0], 5.0)
    assert spoken(d, 5.0) == ["shy"]
    d.again()
    d.ended(5.5)
    assert spoken(d, 6.0) == ["shy"]


def spoken(d: Director, now: float) -> list[str]:
    return [each.line.author for each in d.decide(now) if isinstance(each, Speak)]
