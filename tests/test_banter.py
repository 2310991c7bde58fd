"""Two of the cast talk to each other: when, how long, and never before a viewer. Times are given."""

import pytest

from glue.called import called, given
from glue.chat_events import Deed
from glue.decisions import Decision, Interrupt, Speak
from glue.director import Director
from glue.events import Button, ChatLine, Ending, Source, TurnEnded
from glue.news import news
from glue.settings import DirectorSettings

TWO = ["main", "evil"]


def line(text: str, author: str = "mika", deed: Deed | None = None) -> ChatLine:
    return ChatLine(f"{author}:{text}", author, text, Source.CONSOLE, deed=deed)


def director(cast: list[str] = TWO, **settings: float) -> Director:
    return Director(list(cast), DirectorSettings(**settings))  # type: ignore[arg-type]  # some are whole numbers


def spoken(decisions: list[Decision]) -> Speak:
    (speak,) = (d for d in decisions if isinstance(d, Speak))
    return speak


def say(d: Director, now: float, heard: str = "Fully charged!", ending: Ending = Ending.FINISHED) -> Speak:
    """What is decided at `now` is said within three seconds."""
    speak = spoken(d.decide(now))
    d.heard(TurnEnded(now + 3, speak.who, f"t{now:g}", ending, heard, heard), speak.line, ())
    d.ended(now + 3)
    return speak


def opened(d: Director, text: str = "hello Spark", **reply: object) -> float:
    """A viewer is answered; when the answer is over."""
    d.hear(line(text), 10.0)
    say(d, 10.0, **reply)  # type: ignore[arg-type]  # passed on
    return 13.0


def test_the_other_one_answers_what_was_heard_and_is_answered_once() -> None:
    d = director()
    assert d.wake_at(opened(d)) == 15.0 and d.decide(14.9) == []
    retort = say(d, 15.0, "How sweet.")
    assert (retort.who, retort.line.author, retort.line.text) == ("evil", "Spark", "Fully charged!")
    assert retort.line.source is Source.TWIN and [part.text for part in retort.line.parts] == ["hello Spark"]
    back = say(d, d.wake_at(18.0))
    assert (back.who, back.line.author, back.line.text) == ("main", "Evil", "How sweet.")
    assert d.wake_at(23.0) == 23.0 + d.settings.lonely, "two replies to each other are enough"


@pytest.mark.parametrize("depth", [0, 1, 2, 5])
def test_how_long_they_go_on_is_bounded(depth: int) -> None:
    d = director(banter_depth=depth)
    now, said = opened(d), list[Source]()
    while Source.HERSELF not in said:
        now = d.wake_at(now)
        said.append(say(d, now).line.source)
        now += 3
    assert said == [Source.TWIN] * depth + [Source.HERSELF]


def test_they_do_so_again_after_a_while_and_not_about_what_is_past() -> None:
    d = director(banter=40, banter_depth=1, lonely=1000, lonely_most=1000)
    opened(d)
    say(d, 15.0)  # their last one ends at 18
    d.hear(line("and now?"), 50.0)
    say(d, 50.0)
    assert d.wake_at(53.0) > 1000, "40 seconds are not over, and when they are it is no answer any more"
    d.hear(line("what is that?"), 54.0)
    say(d, 54.0)
    assert d.wake_at(57.0) == 59.0 and say(d, 59.0).who == "evil"


def test_a_viewer_comes_first_and_ends_what_they_were_at() -> None:
    d = director()
    opened(d)
    d.hear(line("and me?", "bo"), 15.0)
    assert say(d, 15.0).line.author == "bo"
    assert say(d, d.wake_at(18.0)).line.text == "Fully charged!"  # of the answer to bo
    d.hear(line("a remark of no weight", "cy"), 23.0)
    assert say(d, d.wake_at(23.0)).line.author == "cy"
    assert d.wake_at(30.0) > 30.0 + d.settings.banter_after, "a new exchange, for which it is too early"


@pytest.mark.parametrize(("until", "answered"), [(16.0, True), (19.0, False), (54.0, False)])
def test_they_do_not_answer_what_is_long_past_when_somebody_has_spoken_meanwhile(
    until: float, answered: bool
) -> None:
    d = director(lonely=1000, lonely_most=1000)
    now = opened(d)
    while now <= until:
        assert d.decide(now) == []
        d.listening.word(now, d.settings)
        now += 1.0
    assert (d.wake_at(until + 1.5) == until + d.settings.banter_after) == answered
    assert any(isinstance(each, Speak) for each in d.decide(until + 2.0)) == answered


def test_they_do_not_talk_over_a_line_that_waits_for_a_lull() -> None:
    d = director()
    opened(d)
    d.hear(line("hm"), 14.0)
    assert d.decide(15.0) == [] and d.wake_at(15.0) == 13.0 + d.settings.lull
    assert say(d, 17.0).line.text == "hm"


@pytest.mark.parametrize("button", [Button.PAUSE_CHAT, Button.STOP, Button.PANIC])
def test_the_operator_silences_both(button: Button) -> None:
    d = director()
    opened(d)
    d.press(button)
    assert d.wake_at(14.0) == float("inf") and d.decide(15.0) == []
    d.press(Button.RESUME_CHAT if button is Button.PAUSE_CHAT else Button.GO)
    now = 17.0 if button is not Button.PAUSE_CHAT else 21.0
    assert d.decide(now) == [] and d.wake_at(now) == 13.0 + d.settings.lonely


@pytest.mark.parametrize(
    ("cast", "settings", "said", "reply"),
    [
        (TWO, {"banter": 0}, line("hello Spark"), {}),
        (["main"], {}, line("hello Spark"), {}),
        (TWO, {}, line("hello Spark"), {"ending": Ending.CUT}),
        (TWO, {}, line("hello Spark"), {"ending": Ending.EMPTY, "heard": ""}),
        (TWO, {}, line("subscribed", deed=Deed.SUB), {}),
        (TWO, {}, news("Announce slow mode.", 10.0), {}),
    ],
)
def test_what_stands_for_itself(
    cast: list[str], settings: dict[str, float], said: ChatLine, reply: dict[str, object]
) -> None:
    d = director(cast, **settings)
    d.hear(said, 10.0)
    say(d, 10.0, **reply)  # type: ignore[arg-type]  # passed on
    assert d.wake_at(13.0) == 13.0 + d.settings.lonely and d.decide(16.0) == []


def test_what_a_moderator_removes_is_not_taken_up() -> None:
    d = director()
    opened(d, "bad words, Spark")
    assert d.remove(["mika:bad words, Spark"]) == [] and d.decide(15.0) == []
    d.hear(line("worse words, Spark"), 20.0)
    say(d, 20.0)
    assert spoken(d.decide(25.0)).who == "evil"
    assert d.remove(["someone else's"]) == []
    assert d.remove(["mika:worse words, Spark"]) == [Interrupt()], "what she says goes back to it"


def test_whoever_is_forgotten_or_timed_out_is_not_talked_about() -> None:
    d = director()
    opened(d)
    d.forget((), lambda said: said.author == "mika")
    assert d.decide(15.0) == []


def test_both_speak_into_silence_in_turn_and_answer_each_other() -> None:
    d = director(banter_depth=1)
    d.ended(0.0)
    said, now = [], 0.0
    for _ in range(5):
        now = d.wake_at(now)
        speak = say(d, now)
        said.append((speak.who, speak.line.source))
        now += 3
    alone, twin = Source.HERSELF, Source.TWIN
    assert said == [("main", alone), ("evil", twin), ("evil", alone), ("main", twin), ("main", alone)]


def test_with_one_on_stage_she_speaks_by_herself_as_ever() -> None:
    d = director(["main"])
    d.ended(0.0)
    assert [say(d, d.wake_at(now)).who for now in (0.0, 100.0, 300.0)] == ["main"] * 3


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Evil, what did Spark just say?", "evil"),
        ("what did Evil just say, Spark?", "main"),
        ("do you like Evil or Spark more, chat?", "evil"),
        ("Spark is nicer than Dark Evil", "main"),
        ("what do you say, dark evil", "other"),
        ("who are you?", ""),
    ],
)
def test_of_two_names_the_one_who_is_spoken_to(text: str, who: str) -> None:
    assert called(text, {"Spark": "main", "Evil": "evil", "Dark Evil": "other"}) == who


@pytest.mark.parametrize(
    ("text", "whom", "words"),
    [
        ("evil: kneel, chat", "evil", "kneel, chat"),
        ("Dark Luna : well", "evil", "well"),
        ("luna: note: it rains", "main", "note: it rains"),
        ("note: it rains", "", "note: it rains"),
        ("evil", "", "evil"),
    ],
)
def test_whom_the_operator_gives_words_to(text: str, whom: str, words: str) -> None:
    assert given(text, {"Luna": "main", "Dark Luna": "evil"}) == (whom, words)
