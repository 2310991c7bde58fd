"""What a rehearsal must reach on two cores with the default models, and whether it did."""

from collections.abc import Callable
from dataclasses import dataclass

from glue.report.numbers import Report


@dataclass(frozen=True, slots=True)
class Target:
    """`value(report)` may be at most `most`."""

    what: str
    unit: str
    most: float
    value: Callable[[Report], float | None]

    def met(self, report: Report) -> bool | None:
        """None where the run cannot say."""
        value = self.value(report)
        return None if value is None else value <= self.most


TARGETS = (
    Target("chat to first audio, median", "ms", 500, lambda r: r.first_audio_ms.p50),
    Target("chat to first audio, 95th percentile", "ms", 900, lambda r: r.first_audio_ms.p95),
    Target("our share of it, median", "ms", 20, lambda r: r.our_share_ms.p50),
    Target("ratio to the floor", "", 1.10, lambda r: r.floor_ratio),
    Target("gap between clauses, 95th percentile", "ms", 250, lambda r: r.gaps_ms.p95),
    Target(
        "new prompt tokens beyond the line's, 95th percentile", "", 10, lambda r: r.new_beyond_line_tokens.p95
    ),
    Target("final words after fluent speech, median", "ms", 500, lambda r: r.final_fluent_ms.p50),
    Target("final words after hesitant speech, median", "ms", 500, lambda r: r.final_hesitant_ms.p50),
    Target("end of speech to first audio, median", "ms", 1000, lambda r: r.after_speech_ms.p50),
    Target("words that stop her to silence, 95th percentile", "ms", 200, lambda r: r.barge_in_ms.p95),
    Target("recall beside the show, 95th percentile", "ms", 50, lambda r: r.recall_ms.p95),
    Target("what replies waited for recall, 95th percentile", "ms", 10, lambda r: r.recall_wait_ms.p95),
    Target("memory of all processes, peak", "MB", 3000, lambda r: r.rss_total_mb.peak),
    Target("growth after the first 5 minutes", "MB", 20, lambda r: r.rss_total_mb.growth),
    Target("idle CPU, share of a core", "", 0.15, lambda r: r.idle_cpu_share),
    Target("median of the last third to that of the first", "", 1.10, lambda r: r.drift.ratio),
    Target("answers faster than the stated pace", "", 0, lambda r: r.faster_than_stated),
    Target("lines without a fate", "", 0, lambda r: float(r.lines_without_fate)),
)
