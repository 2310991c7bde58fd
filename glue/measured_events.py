"""What was measured: the events that carry figures. Part of the union of glue/events.py; times as there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurnMeasured:
    """What the servers counted for a reply. Times in seconds; token counts as the server gave them."""

    at: float
    who: str
    turn: str
    prompt_tokens: int
    cached_tokens: int
    line_tokens: int
    answer_tokens: int
    gaps: tuple[float, ...]  # silences between clauses, seconds
    llm_to_clause: float  # request sent -> first clause complete
    tts_to_chunk: float  # clause sent -> first chunk back


@dataclass(frozen=True, slots=True)
class VitalsTaken:
    """What the show's processes used, by name: resident megabytes, and CPU seconds since they started."""

    at: float
    rss_mb: dict[str, float]
    cpu_s: dict[str, float]


@dataclass(frozen=True, slots=True)
class FloorMeasured:
    """The same request as reply `turn`'s, asked of the same servers by a bare loop. Times in seconds."""

    at: float
    who: str
    turn: str
    llm_to_clause: float  # request sent -> first clause complete
    tts_to_chunk: float  # clause sent -> first chunk back
    to_audible: float  # request sent -> first sample that is content
    new_tokens: int  # of the prompt, not in the cache; 0 where the server does not say


@dataclass(frozen=True, slots=True)
class PaceKept:
    """At the end of a paced show: the stated pace of a model or of the voice, and the one that it kept."""

    at: float
    route: str
    model: str
    stated: float  # `unit` a second
    kept: float | None  # median of its answers; None: none was long enough
    stated_first_ms: float  # to the first token or sound, at least
    kept_first_ms: float | None
    behind_ms: float | None  # the most that the small engine was late
    faster: int  # answers of it that came faster than stated: over 0, no figure of this run holds
    shared_s: float = 0.0  # that its answers gave to the other model at work, over the same memory
    unit: str = "tokens"


@dataclass(frozen=True, slots=True)
class ScriptSpoken:
    """A voice out of a file had said this `at`, by the script that lies beside the file."""

    at: float
    kind: str  # "fluent", "hesitant" (a pause in the middle), "interrupts" (into a reply of hers)
    text: str
    began: float
    part: float  # the end of its first part: what stands before the pause, or the two words that stop her


MeasuredEvent = TurnMeasured | VitalsTaken | FloorMeasured | PaceKept | ScriptSpoken
