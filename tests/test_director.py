"""What she answers, in what order, and when she keeps silent. No clock: time is an argument."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.chat_events import Deed
from glue.decisions import Close, Decision, Interrupt, Shorten, Speak
from glue.director import Director
from glue.events import Button, ChatLine, Fate, Source
from glue.interest import score
from glue.settings import DirectorSettings
from glue.thanks import WORTH, together


def line(text: str, author: str = "mika", supporter: bool = False) -> ChatLine:
    return ChatLine(f"{author}:{text}", author, text, Source.CONSOLE, supporter)


def director(**settings: float) -> Director:
    return Director(["main"], DirectorSettings(**settings))  # type: ignore[arg-type]  # some are whole numbers


def spoken(decisions: list[Decision]) -> list[str]:
    return [d.line.text for d in decisions if isinstance(d, Speak)]


def test_a_line_is_answered_at_once() -> None:
    d = director()
    d.hear(line("hello Spark"), 10.0)
    assert spoken(d.decide(10.0)) == ["hello Spark"]


def test_one_line_at_a_time() -> None:
    d = director()
    d.hear(line("hello Spark"), 1.0)
    d.hear(line("what is that?", "bo"), 1.0)
    assert len(spoken(d.decide(1.0))) == 1
    assert spoken(d.decide(1.0)) == []
    d.ended(5.0)
    (decision,) = d.decide(5.0)
    assert isinstance(decision, Speak) and decision.waited is False


def test_a_line_that_came_while_she_spoke_waited() -> None:
    d = director()
    d.hear(line("hello Spark"), 1.0)
    d.decide(1.0)
    d.hear(line("what is that?", "bo"), 2.0)
    d.ended(5.0)
    (decision,) = d.decide(5.0)
    assert isinstance(decision, Speak) and decision.waited


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (line("Spark, your hair today", "a"), line("your hair today wow", "b")),
        (line("do you like cheese?", "a"), line("i like cheese very much", "b")),
        (line("your hair is nice today", "a", supporter=True), line("your dress is nice today", "b")),
        (line("do you like cheese?", "a"), line("i like cheese very much", "b", supporter=True)),
        (line("nice stream today", "a"), line("lol", "b")),
    ],
)
def test_taste(better: ChatLine, worse: ChatLine) -> None:
    d = director()
    d.hear(worse, 1.0)
    d.hear(better, 1.0)
    assert spoken(d.decide(1.0)) == [better.text]


def test_nobody_starves() -> None:
    d = director()
    d.hear(line("i like trains quite a lot", "shy"), 0.0)
    for second in range(40):
        d.hear(line(f"Spark, question {second}?", f"loud{second % 3}"), float(second))
        for decision in d.decide(float(second)):
            if isinstance(decision, Speak) and decision.line.author == "shy":
                return
        d.ended(second + 0.9)
    pytest.fail("the shy viewer was never answered")


def test_who_has_no_badge_does_not_starve_among_supporters() -> None:
    """More of them than she can answer, and each line as good as another."""
    d, answered = director(), list[bool]()
    for second in range(90):
        for n in range(3):
            new = line(f"do you like number {second} {n}?", f"v{second}-{n}", supporter=n > 0)
            d.hear(new, float(second))
        if second % 3 == 0:
            answered += [s.line.supporter for s in d.decide(float(second)) if isinstance(s, Speak)]
            d.ended(second + 2.9)
    assert len(answered) == 30 and answered.count(False) >= 8 and answered.count(True) >= 15


def test_the_same_words_again_are_answered_once() -> None:
    d = director()
    assert d.hear(line("Spark say hi!!", "a"), 1.0) == []
    assert d.hear(line("spark SAY hiii", "a"), 2.0) == []  # elongation changes the word's length class
    assert d.hear(line("spark say hi", "a"), 3.0) == [Close("a:spark say hi", Fate.DUPLICATE)]


def test_two_who_greet_her_alike_are_two_and_a_wave_of_copies_is_one() -> None:
    d = director()
    for second in range(20):
        assert d.hear(line("hi Spark", f"v{second}"), float(second)) == []
    fates = [d.hear(line("hi Spark", f"w{n}"), 19 + n / 10) for n in range(1, 21)]
    assert [bool(closed) for closed in fates] == [False] * 2 + [True] * 18
    assert {close.fate for closed in fates for close in closed} == {Fate.DUPLICATE}
    assert d.hear(line("hi Spark", "late"), 40.0) == [], "chat is slow again"
    assert d.hear(line("hi Spark", "late"), 41.0) == [Close("late:hi Spark", Fate.DUPLICATE)]


def test_a_burst_is_spam_but_not_a_supporters() -> None:
    d = director()
    fates = [d.hear(line(f"message number {i}"), 1.0 + i / 10) for i in range(6)]
    assert [c.fate for cs in fates for c in cs] == [Fate.SPAM, Fate.SPAM]
    d = director()
    assert not any(d.hear(line(f"message number {i}", supporter=True), 1.0) for i in range(8))
    assert d.hear(line("message number 8", supporter=True), 1.0), "nobody fills the inbox alone"


def test_a_burst_is_nobody_s_who_is_called_the_same() -> None:
    d, fates = director(), []
    for n in range(6):
        one = ChatLine(f"a{n}", f"Anna{n}", f"message number {n}", Source.YOUTUBE, author_id="UCa")
        fates.append([close.fate for close in d.hear(one, 1.0)])
    assert fates[-1] == [Fate.SPAM], "under a new name each time"
    other = ChatLine("b", "Anna5", "good evening", Source.YOUTUBE, author_id="UCb")
    assert not d.hear(other, 1.0)


def test_who_was_answered_stands_back_and_nobody_who_is_called_the_same() -> None:
    d = director()
    first, again, other = (
        ChatLine(str(n), name, text, Source.YOUTUBE, author_id=id)
        for n, (name, id, text) in enumerate(
            [
                ("Anna", "UCa", "hello Spark"),
                ("Anne", "UCa", "i like trains"),
                ("Anna", "UCb", "i like boats"),
            ]
        )
    )
    d.hear(first, 1.0)
    assert spoken(d.decide(1.0)) == [first.text]
    d.hear(again, 2.0)
    d.hear(other, 2.0)
    d.ended(3.0)
    assert spoken(d.decide(3.0)) == [other.text]


@pytest.mark.parametrize("text", ["", "   ", "!!!", "😀😀"])
def test_a_line_without_words_is_closed(text: str) -> None:
    assert director().hear(line(text), 1.0) == [Close(f"mika:{text}", Fate.SPAM)]


def test_a_dull_line_is_left_alone_in_a_lively_chat_and_answered_in_a_lull() -> None:
    d = director(lull=4.0)
    d.hear(line("hello Spark"), 5.0)
    d.decide(5.0)
    d.ended(10.0)
    d.hear(line("lol"), 10.0)
    assert spoken(d.decide(10.0)) == []
    assert d.wake_at(10.0) == 14.0
    assert spoken(d.decide(14.0)) == ["lol"]


def test_an_old_line_is_let_go() -> None:
    d = director(patience=45)
    d.hear(line("Spark!"), 0.0)
    d.decide(0.0)
    d.hear(line("hello there", "b"), 1.0)
    assert d.wake_at(1.0) == 46.0
    assert d.decide(46.0) == [Close("b:hello there", Fate.IGNORED)]


def test_a_full_inbox_drops_the_dullest() -> None:
    d = director(inbox=3)
    d.speaking = "main"
    for i in range(3):
        d.hear(line(f"a thoughtful remark {i}", f"v{i}"), 1.0 + i)
    assert d.hear(line("Spark, why is the sky blue?", "q"), 5.0) == [
        Close("v2:a thoughtful remark 2", Fate.OVERFLOW)
    ]


def test_she_speaks_by_herself_and_nags_less_and_less() -> None:
    d = director(lonely=25, lonely_most=180)
    d.ended(0.0)
    waits, now = [], 0.0
    for _ in range(7):
        wake = d.wake_at(now)
        waits.append(wake - now)
        (decision,) = d.decide(wake)
        assert isinstance(decision, Speak) and decision.line.source is Source.HERSELF
        now = wake + 3
        d.ended(now)
    assert waits == sorted(waits) and waits[0] == 25 and waits[-1] == 180


def test_pause_stop_and_go() -> None:
    d = director()
    d.press(Button.PAUSE_CHAT)
    said = seen("hello", Source.TWITCH, "mika")
    assert d.hear(said, 1.0) == [Close(said.id, Fate.PAUSED)]
    assert d.wake_at(1000.0) == float("inf") and d.decide(1000.0) == []
    d.press(Button.RESUME_CHAT)
    d.hear(line("Spark?"), 2.0)
    d.hear(line("hello again", "bo"), 2.0)
    d.decide(2.0)
    assert d.press(Button.STOP) == [Interrupt(), Close("bo:hello again", Fate.SKIPPED)]
    d.ended(3.0)
    assert d.decide(500.0) == []
    d.press(Button.GO)
    d.hear(line("back?"), 501.0)
    assert spoken(d.decide(501.0)) == ["back?"]


PUBLIC = (Source.TWITCH, Source.YOUTUBE, Source.REHEARSAL, Source.PLAYER)


@pytest.mark.parametrize("source", [source for source in Source if source is not Source.EYES])
def test_pausing_chat_keeps_the_public_out_and_nobody_else(source: Source) -> None:
    """The operator, a voice, news of games and of the stream are heard; stopping is total."""
    d, said = director(), seen("how is it going", source, "mika")
    d.press(Button.PAUSE_CHAT)
    assert bool(d.hear(said, 1.0)) is (source in PUBLIC)
    for deed, free in ((Deed.RAID, False), (Deed.FOLLOW, True)):
        assert bool(d.hear(did(deed, f"bo {deed}", source), 2.0)) is (free and source in PUBLIC)
    d.ended(5.0)
    assert len(spoken(d.decide(10.0))) == 1
    d.press(Button.STOP)
    assert d.hear(said, 11.0) == [Close(said.id, Fate.PAUSED)]


def test_skip_cuts_only_when_she_speaks() -> None:
    d = director()
    assert d.press(Button.SKIP) == []
    d.hear(line("Spark?"), 1.0)
    d.decide(1.0)
    assert d.press(Button.SKIP) == [Interrupt()]


def test_the_twin_answers_when_she_is_named() -> None:
    d = Director(["main", "evil"])
    d.hear(line("evil, what do you say?"), 1.0)
    (decision,) = d.decide(1.0)
    assert isinstance(decision, Speak) and decision.who == "evil"


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Luna, how are you?", "main"),
        ("what is the main reason?", "evil"),  # a word, and nobody's name
        ("dark luna, and you?", "evil"),
        ("is the lunar eclipse soon?", "evil"),
    ],
)
def test_who_is_called_by_the_name_of_her_persona_answers(text: str, who: str) -> None:
    d = Director(["evil", "main"], names={"main": "Luna", "evil": "Dark Luna"})  # evil was put in front
    d.hear(line(text), 1.0)
    (decision,) = d.decide(10.0)
    assert isinstance(decision, Speak) and decision.who == who


def test_a_mention_is_one_of_her_name() -> None:
    points = [score(line(f"{name} hello"), ["Luna"], 0.0, None) for name in ("Luna", "Spark", "main")]
    assert points[0] - points[1] == pytest.approx(3.0, abs=0.2) and points[1] == points[2]


@given(st.lists(st.tuples(st.text(max_size=20), st.sampled_from("abc"), st.booleans()), max_size=60))
def test_every_line_has_exactly_one_fate(said: list[tuple[str, str, bool]]) -> None:
    d = director(inbox=5)
    open_lines: set[str] = set()
    for i, (text, author, ends) in enumerate(said):
        now = i / 4
        new = ChatLine(str(i), author, text, Source.CONSOLE)
        open_lines.add(new.id)
        decisions: list[Decision] = [*d.hear(new, now), *d.decide(now)]
        for decision in decisions:
            assert not isinstance(decision, Interrupt | Shorten)
            open_lines.remove(decision.line_id if isinstance(decision, Close) else decision.line.id)
        if ends:
            d.ended(now)
    open_lines -= {close.line_id for close in d.empty(Fate.UNHEARD)}
    assert not open_lines


def did(deed: Deed, author: str, source: Source = Source.TWITCH) -> ChatLine:
    return ChatLine(f"{author}-{deed}", author, f"did {deed}", source, supporter=True, deed=deed)


def test_a_supporter_comes_before_everybody() -> None:
    d = director()
    d.hear(line("Spark, why is the sky blue?"), 1.0)
    d.hear(did(Deed.SUB, "bo"), 20.0)
    assert spoken(d.decide(20.0)) == ["did sub"]


def test_what_she_says_gives_way_to_thanks_in_time() -> None:
    d = director(thanks=3.5)
    d.hear(line("Spark?"), 1.0)
    d.decide(1.0)
    d.hear(did(Deed.BITS, "bo"), 10.0)
    assert d.decide(10.0) == [Shorten()], "the clause that she is at is the last"
    assert d.decide(10.1) == [] and d.wake_at(10.1) == 13.5
    assert d.decide(13.5) == [Interrupt()]
    assert d.decide(13.6) == [] and d.wake_at(13.6) > 13.6, "asked once"
    d.ended(13.7)
    assert spoken(d.decide(13.7)) == ["did bits"]


@pytest.mark.parametrize("deed", [Deed.FOLLOW, Deed.POINTS])
def test_nobody_is_interrupted_for_what_costs_nothing(deed: Deed) -> None:
    d = director()
    d.hear(line("Spark?"), 1.0)
    d.decide(1.0)
    d.hear(did(deed, "bo"), 2.0)
    assert d.decide(30.0) == []


def test_thanks_are_shortened_for_thanks_and_never_cut() -> None:
    d = director(thanks=3.0)
    d.hear(did(Deed.SUB, "ann"), 1.0)
    d.decide(1.0)
    d.hear(did(Deed.SUB, "bo"), 2.0)
    assert d.decide(2.0) == [Shorten()]
    assert d.decide(9.0) == [] and d.wake_at(9.0) == float("inf"), "nothing is due but the end of it"
    d.ended(9.5)
    assert [s.line.author for s in d.decide(9.5) if isinstance(s, Speak)] == ["bo"]


@pytest.mark.parametrize("deed", [Deed.FOLLOW, Deed.POINTS])
def test_thanks_for_what_costs_nothing_give_way_as_any_reply(deed: Deed) -> None:
    d = director(thanks=3.0)
    d.hear(did(deed, "ann"), 1.0)
    d.decide(1.0)
    d.hear(did(Deed.RAID, "bo"), 2.0)
    assert d.decide(2.0) == [Shorten()] and d.wake_at(2.0) == 5.0
    assert d.decide(5.0) == [Interrupt()]


def test_who_does_not_stop_speaking_does_not_hold_thanks_up() -> None:
    d = director(thanks=3.0, listen_most=20.0)
    for tenth in range(10, 100):
        d.listening.word(tenth / 10, d.settings)
        if tenth == 20:
            d.hear(did(Deed.RAID, "bo"), 2.0)
            d.hear(line("Spark, hello?"), 2.0)
        if spoken(d.decide(tenth / 10)) == ["did raid"]:
            assert tenth == 50 and d.thanking
            return
        assert d.wake_at(tenth / 10) <= (tenth / 10 + 1.5 if tenth < 20 else 5.0)
    pytest.fail("they were not thanked")


def test_what_was_given_does_not_grow_too_old_to_be_thanked_for() -> None:
    d = director(patience=45.0)
    d.hear(did(Deed.SUB, "ann"), 1.0)
    d.decide(1.0)
    d.hear(did(Deed.SUB, "bo"), 2.0)
    d.hear(did(Deed.FOLLOW, "cid"), 2.0)
    assert d.decide(60.0)[0] == Close("cid-follow", Fate.IGNORED)
    d.ended(90.0)
    assert spoken(d.decide(90.0)) == ["did sub"]


def test_who_was_thanked_with_a_removed_one_is_thanked_again() -> None:
    d = director()
    d.speaking = "main"
    lines = [did(Deed.SUB, name) for name in ("ann", "bo", "cid", "dee", "eve")]
    for new in lines:
        d.hear(new, 1.0)
    d.ended(2.0)
    d.decide(2.0)
    assert d.remove(["bo-sub"]) == [Interrupt()]
    assert d.answering == {"bo-sub"} and d.decide(9.0) == [], "it is cut once"
    assert d.remove(["dee-sub"]) == [Close("dee-sub", Fate.REMOVED)], "who waits again has one fate"
    d.ended(9.1)
    (decision,) = d.decide(9.1)
    assert isinstance(decision, Speak) and decision.ids == ("ann-sub", "cid-sub", "eve-sub")
    assert decision.line.author == "ann, cid and eve" and decision.waited


def test_a_batch_counts_as_the_dearest_deed_in_it() -> None:
    lines = [did(deed, deed.value) for deed in (Deed.FOLLOW, Deed.POINTS, Deed.BITS, Deed.RAID, Deed.SUB)]
    lines += [did(Deed.FOLLOW, f"v{n}") for n in range(9)]
    one = together(lines)
    assert (one.deed, one.id, one.supporter) == (Deed.RAID, "raid-raid", True)
    assert one.author == "raid, sub, bits, points and 10 others"
    assert together(lines[:1]) == lines[0] and set(WORTH) == set(Deed)


def test_a_flood_of_supporters_is_thanked_together() -> None:
    d = director()
    d.speaking = "main"
    lines = [did(Deed.SUB, f"v{n}") for n in range(60)] + [did(Deed.RAID, "captain")]
    for new in lines:
        assert d.hear(new, 1.0) == []
    d.hear(line("hello there"), 1.0)
    d.ended(2.0)
    (decision,) = d.decide(2.0)
    assert isinstance(decision, Speak) and decision.ids == tuple(new.id for new in lines)
    assert decision.line.author == "captain, v0, v1, v2 and 57 others"
    assert decision.line.text == "raided the stream with their viewers and subscribed"
    assert d.waiting == 1


def test_a_removed_line_is_neither_answered_nor_gone_on_with() -> None:
    d = director()
    d.hear(line("Spark, say this"), 1.0)
    d.decide(1.0)
    d.hear(line("bad words", "troll"), 2.0)
    assert d.remove(["troll:bad words", "unknown"]) == [Close("troll:bad words", Fate.REMOVED)]
    assert d.remove(["mika:Spark, say this"]) == [Interrupt()]
    d.ended(3.0)
    assert d.remove(["mika:Spark, say this"]) == [] == d.decide(3.0)


def seen(text: str, source: Source, author: str) -> ChatLine:
    return ChatLine(f"{source}-{author}-{text}", author, text, source)


def test_a_crowd_does_not_push_a_small_source_out() -> None:
    d = director(inbox=5)
    d.speaking = "main"
    d.hear(seen("ok", Source.YOUTUBE, "quiet"), 1.0)
    for n in range(20):
        for close in d.hear(seen(f"Spark, what about number {n}?", Source.TWITCH, f"v{n}"), 1.0 + n / 30):
            assert close.line_id.startswith("twitch")
    assert d.waiting == 5


def test_a_small_source_has_its_turn_beside_a_crowd() -> None:
    d, turns = director(), list[Source]()
    for second in range(0, 60, 3):
        for n in range(30):
            d.hear(seen(f"Spark, what is {second} and {n}?", Source.TWITCH, f"v{n}-{second}"), float(second))
        if second % 15 == 0:
            d.hear(seen(f"greetings from over here {second}", Source.YOUTUBE, f"y{second}"), float(second))
        turns += [s.line.source for s in d.decide(float(second)) if isinstance(s, Speak)]
        d.ended(second + 2.9)
    assert turns.count(Source.YOUTUBE) >= 2 and turns.count(Source.TWITCH) > 10


@pytest.mark.parametrize(
    ("sent", "minutes"),
    [(did(Deed.RAID, "bo"), 30), (did(Deed.FOLLOW, "bo"), 0), (line("hello Spark", "bo"), 0)],
)
def test_thanks_outlast_a_model_that_is_away_for_minutes(sent: ChatLine, minutes: int) -> None:
    """A large one takes so long to come back; it is asked less often then. For ever is for nobody."""
    d, now, tries = director(patience=9999.0), 1.0, 0
    d.hear(sent, now)
    while d.waiting and tries < 1000:
        if not spoken(d.decide(now)):
            now = d.wake_at(now)
            continue
        tries += 1
        d.postpone(now)
        d.ended(now)
    assert not d.waiting and now / 60 == pytest.approx(minutes, rel=0.2, abs=0.2)
    assert tries < 15 + minutes * 60 / 9
