"""What a rehearsal must reach: on two cores with the default models, or at the pace that it kept to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from glue.report.numbers import Report
from glue.spread import Spread


class Verdict(StrEnum):
    """What a run says of a target."""

    MET = "met"
    MISSED = "missed"
    FEW = "too few"  # a percentile of so few samples is luck
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Target:
    """`value(report)` may be at most `most`. `of`: the samples that it is of, judged where there are `least`;
    None: it is a count or a reading. `goal`: its name among the goals of conf/pace/*.yaml."""

    what: str
    unit: str
    most: float
    value: Callable[[Report], float | None]
    of: Callable[[Report], int] | None = None
    least: int = 0
    goal: str = ""

    def n(self, report: Report) -> int | None:
        """How many samples the figure is of."""
        return self.of(report) if self.of else None

    def verdict(self, report: Report) -> Verdict:
        """Whether it was reached, as far as the run can say."""
        value, n = self.value(report), self.n(report)
        if value is None:
            return Verdict.UNKNOWN
        if (n is not None and n < self.least) or (self.goal in AUDIO and not _whole(report)):
            return Verdict.FEW
        return Verdict.MET if value <= self.most else Verdict.MISSED

    def met(self, report: Report) -> bool | None:
        """None where the run cannot say."""
        verdict = self.verdict(report)
        return verdict is Verdict.MET if verdict in (Verdict.MET, Verdict.MISSED) else None

    def said(self, report: Report) -> str:
        """The verdict in words."""
        verdict, n = self.verdict(report), str(self.n(report))
        if self.goal in AUDIO:
            idle, waited = report.first_audio_idle_ms.n, report.first_audio_waited_ms.n
            n = f"{idle} idle, {waited} waited"
        return f"{verdict} ({n})" if verdict is Verdict.FEW else str(verdict)


AUDIO = ("first_audio_p50", "first_audio_p95")
IDLE, WAITED = 30, 10  # replies to lines that came while she was idle, and that waited: a rehearsal's least
SOME, MANY = 10, 20  # samples of a median, of a 95th percentile


def _whole(report: Report) -> bool:
    return report.first_audio_idle_ms.n >= IDLE and report.first_audio_waited_ms.n >= WAITED


def _p50(what: str, most: float, of: Callable[[Report], Spread], least: int = SOME, goal: str = "") -> Target:
    return Target(f"{what}, median", "ms", most, lambda r: of(r).p50, lambda r: of(r).n, least, goal)


def _p95(
    what: str,
    most: float,
    of: Callable[[Report], Spread],
    least: int = MANY,
    goal: str = "",
    unit: str = "ms",
) -> Target:
    name = f"{what}, 95th percentile"
    return Target(name, unit, most, lambda r: of(r).p95, lambda r: of(r).n, least, goal)


TARGETS = (
    _p50("chat to first audio", 500, lambda r: r.first_audio_ms, goal=AUDIO[0]),
    _p95("chat to first audio", 900, lambda r: r.first_audio_ms, goal=AUDIO[1]),
    _p50("our share of it", 20, lambda r: r.our_share_ms),
    Target("ratio to the floor", "", 1.10, lambda r: r.floor_ratio, lambda r: r.floor_ms.n, SOME),
    _p95("gap between clauses", 250, lambda r: r.gaps_ms, goal="gap_p95"),
    _p95("new prompt tokens beyond the line's", 10, lambda r: r.new_beyond_line_tokens, unit=""),
    _p50("final words after fluent speech", 500, lambda r: r.final_fluent_ms),
    _p50("final words after hesitant speech", 500, lambda r: r.final_hesitant_ms),
    _p50("end of speech to first audio", 1000, lambda r: r.after_speech_ms),
    _p95("words that stop her to silence", 200, lambda r: r.barge_in_ms, least=SOME),  # a show has a dozen
    _p95("recall beside the show", 50, lambda r: r.recall_ms),
    _p95("what replies waited for recall", 10, lambda r: r.recall_wait_ms),
    Target("memory of all processes, peak", "MB", 3000, lambda r: r.rss_total_mb.peak),
    Target("growth after the first 5 minutes", "MB", 20, lambda r: r.rss_total_mb.growth),
    Target("idle CPU, share of a core", "", 0.15, lambda r: r.idle_cpu_share),
    Target(
        "median of the last third to that of the first",
        "",
        1.10,
        lambda r: r.drift.ratio,
        lambda r: r.first_audio_ms.n,
        3 * SOME,
    ),
    Target(
        "openers that begin as another one, share",
        "",
        0.25,
        lambda r: None if r.distinct_first_words is None else round(1 - r.distinct_first_words, 3),
        lambda r: r.opened,
        MANY,
    ),
    Target("answers faster than the stated pace", "", 0, lambda r: r.faster_than_stated),
    Target("lines without a fate", "", 0, lambda r: float(r.lines_without_fate)),
)


def targets(report: Report) -> list[Target]:
    """What this run is judged by. At a stated pace the goals are its own, with an opener or without; a time
    that they do not name is reported and not judged."""
    goals = _goals(report)
    if goals is None:
        return list(TARGETS)
    return [
        replace(each, most=float(goals[each.goal])) if each.goal else each
        for each in TARGETS
        if not each.goal or each.goal in goals
    ]


def bound(report: Report) -> str:
    """Who is late where first audio is missed and the models alone, asked the same by a bare loop, are too;
    "" where it is not they, or nobody asked them. A paced show's models are slow because it says so."""
    first, floor = report.first_audio_ms.p50, report.floor_ms
    most = TARGETS[0].most
    if _goals(report) is not None or floor.p50 is None or floor.n < SOME or first is None:
        return ""
    if first <= most or floor.p50 <= most:
        return ""
    return (
        f"The models alone take {floor.p50:.0f} ms of {most:.0f} on this machine (the floor); cure: a smaller"
        " one, or llama.cpp compiled for this CPU (./build_engines.sh bundle=qwen-1.5b native=true)"
    )


def _goals(report: Report) -> Mapping[str, float] | None:
    """Those of the journal's head; None where no pace was stated."""
    pace = report.show.get("pace")
    if not isinstance(pace, dict) or not isinstance(pace.get("goals"), dict):
        return None
    opened = pace.get("opener") == "always" or (pace.get("opener") == "auto" and report.opened > 0)
    found = pace["goals"].get("opened" if opened else "alone")
    given = found if isinstance(found, dict) else {}
    return {name: most for name, most in given.items() if isinstance(most, int | float)}
