"""What the desk says of a show's latency is what its report will say."""

from glue.events import ChatLine, Event, Source, Stage, StageReached, TurnStarted
from glue.health import Health
from glue.report.numbers import report
from glue.report.read import fold
from glue.song_events import SongStarted


def test_the_desk_and_the_report_tell_one_95th_percentile() -> None:
    health, events = Health(), list[Event]()
    for n in range(20):
        at, turn = 60.0 * n, f"t{n}"
        line = ChatLine(f"l{n}", "mika", "hi", Source.CONSOLE)
        events += [
            TurnStarted(at, "main", turn, line, False),
            StageReached(at, "main", turn, Stage.RECEIVED),
            StageReached(at, "main", turn, Stage.CHOSEN),
            StageReached(at + 0.1 * (n + 1), "main", turn, Stage.AUDIBLE),
        ]
    for event in events:
        health.show(event)
    told = report(fold(events)).first_audio_ms
    assert health.told()["latency"] == {"replies": told.n, "p50": told.p50, "p95": told.p95}
    assert (told.p50, told.p95) == (1050, 1905)
    assert str(health.told()["latency"]) == "{'replies': 20, 'p50': 1050, 'p95': 1905}", "no '1050.0 ms'"
    assert str(Health().told()["latency"]) == "{'replies': 0, 'p50': None, 'p95': None}"


def test_a_song_is_in_neither_figure_for_nobody_has_to_think_of_it() -> None:
    health, line = Health(), ChatLine("l1", "mika", "sing daisy", Source.CONSOLE)
    for event in (
        TurnStarted(1.0, "main", "t1", line, False),
        StageReached(1.0, "main", "t1", Stage.RECEIVED),
        SongStarted(1.0, "main", "t1", "Daisy", 60.0),
        StageReached(9.0, "main", "t1", Stage.AUDIBLE),
    ):
        health.show(event)
    assert health.told()["latency"] == {"replies": 0, "p50": None, "p95": None}
