"""How well the stream leaves, by OBS's counters: what is measured, and what is worth a warning."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.broadcast_events import BroadcastMeasured, Fault, StreamFaltered, StreamRestored
from glue.events import Event
from glue.stage.obs_health import Health, Sample

STEADY = Sample(0.0, False, True, False, 0, 0.0, 0, 0, 0, 0, False, "A", 30.0)


def run(samples: list[Sample]) -> list[Event]:
    health = Health()
    return [event for sample in samples for event in health.take(sample)]


def faults(samples: list[Sample]) -> list[Event]:
    return [event for event in run(samples) if not isinstance(event, BroadcastMeasured)]


def second(n: int, **changed: object) -> Sample:
    """A healthy stream's counters after `n` seconds, of 800 kbit/s at 30 frames a second."""
    good = replace(STEADY, at=float(n), sent=100_000 * n, frames=30 * n, drawn=30 * n)
    return replace(good, **changed)  # type: ignore[arg-type]


def test_a_healthy_stream_is_measured_and_nothing_else() -> None:
    events = run([second(n) for n in range(31)])
    assert [type(event) for event in events] == [BroadcastMeasured] * 4
    assert [event.at for event in events] == [0.0, 10.0, 20.0, 30.0], "at once, and then now and then"
    assert isinstance(events[1], BroadcastMeasured)
    assert (events[1].kbit_s, events[1].dropped, events[1].fps) == (800.0, 0.0, 30.0)


def test_what_changes_is_told_at_once() -> None:
    quiet: dict[str, object] = {"streaming": False, "sent": 0, "frames": 0}
    steps: list[dict[str, object]] = [quiet, quiet, {}, {"scene": "B"}, {"scene": "B"}]
    steps += [{"scene": "B", "recording": True}, quiet, quiet]
    events = run([second(n, **changed) for n, changed in enumerate(steps)])
    told = [(e.at, e.streaming, e.recording, e.scene) for e in events if isinstance(e, BroadcastMeasured)]
    assert told == [
        (0.0, False, False, "A"),
        (2.0, True, False, "A"),
        (3.0, True, False, "B"),
        (5.0, True, True, "B"),
        (6.0, False, False, "A"),
    ]


def test_active_is_not_live() -> None:
    events = run([second(n, sent=0) for n in range(12)] + [second(n) for n in range(12, 24)])
    told = [event for event in events if not isinstance(event, BroadcastMeasured)]
    assert [type(event) for event in told] == [StreamFaltered, StreamRestored]
    assert isinstance(told[0], StreamFaltered) and told[0].fault is Fault.OFF_AIR and told[0].at == 7.0
    assert "cure: " in told[0].why and told[0].tell


@pytest.mark.parametrize(
    ("changed", "fault"),
    [({"reconnecting": True}, Fault.RECONNECTING), ({"congestion": 0.9}, Fault.CONGESTED)],
)
def test_what_viewers_suffer_from_is_told_once(changed: dict[str, object], fault: Fault) -> None:
    events = run([second(n, **changed) for n in range(20)])
    (told,) = [event for event in events if isinstance(event, StreamFaltered)]
    assert told.fault is fault


def test_dropped_frames_are_a_share_of_the_last_ones() -> None:
    events = run([second(n, skipped=3 * n) for n in range(20)])
    (told,) = [event for event in events if isinstance(event, StreamFaltered)]
    assert told.fault is Fault.DROPPING and "3 of 30" in told.why


def test_a_hiccup_and_a_stream_that_was_ended_are_no_fault() -> None:
    assert not faults([second(n, sent=100_000 * (n // 3)) for n in range(9)])
    assert not faults([second(n, streaming=False, sent=0, frames=0) for n in range(9)])


def test_a_stream_that_the_show_started_and_that_is_gone_is_told() -> None:
    (told,) = faults([second(n, wanted=True, streaming=False, sent=0, frames=0) for n in range(9)])
    assert isinstance(told, StreamFaltered) and told.fault is Fault.OFF_AIR and "cure: " in told.why


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 9), st.floats(0, 1)), max_size=40))
def test_whatever_the_counters_do_faults_come_and_go_in_pairs(
    rows: list[tuple[bool, bool, int, float]],
) -> None:
    there: set[Fault] = set()
    samples = [
        replace(STEADY, at=float(n), streaming=on, reconnecting=lost, sent=sent, frames=sent, congestion=full)
        for n, (on, lost, sent, full) in enumerate(rows)
    ]
    for event in run(samples):
        if isinstance(event, StreamFaltered):
            assert event.fault not in there
            there.add(event.fault)
        elif isinstance(event, StreamRestored):
            there.remove(event.fault)
            assert event.after >= 0
