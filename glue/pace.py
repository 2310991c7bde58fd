"""What pace was kept: the figures of a paced show need it. The pacing proxy (engines/pace) is asked for the
models'; the voice's is taken here, as its sound comes."""

from __future__ import annotations

import logging
import math
import statistics
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import anyio
import httpx
from pydantic import TypeAdapter, ValidationError

from glue.closing import closing
from glue.measured_events import PaceKept
from glue.ports import Speech, Tts

WITHIN = 3.0  # seconds
VOICE = "voice"  # the route that is no model's
KEPT = 2000  # texts that are remembered
HELD = 0.02  # seconds; who takes longer to ask for the next chunk is full, and does not see when it comes
CLOCK = 0.0005  # seconds that two readings of a clock may be apart
ROUTES = TypeAdapter(dict[str, dict[str, dict[str, float | str | None]]])

log = logging.getLogger(__name__)


async def kept(address: str, voice: PacedTts | None = None) -> list[PaceKept]:
    """One event a route, and the voice's; none of the routes', and a warning, where no proxy answers."""
    return [*await _models(address), *([voice.kept()] if voice else [])]


async def _models(address: str) -> list[PaceKept]:
    try:
        async with httpx.AsyncClient(timeout=WITHIN, trust_env=False) as client:
            said = (await client.get(f"{address}/pace")).raise_for_status().json()
        routes = {
            name: {part: route[part] for part in ("stated", "kept")} for name, route in said["routes"].items()
        }
        return [_event(name, route) for name, route in ROUTES.validate_python(routes).items()]
    except (httpx.HTTPError, ValidationError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("the pacing proxy at %s did not say what it kept: %s", address, type(error).__name__)
        return []


def _event(name: str, route: dict[str, dict[str, float | str | None]]) -> PaceKept:
    stated, did = route["stated"], route["kept"]
    return TypeAdapter(PaceKept).validate_python(
        {
            "at": anyio.current_time(),
            "route": name,
            "model": stated["model"],
            "stated": stated["decode"],
            "kept": did["decode"],
            "stated_first_ms": stated["first_token_ms"],
            "kept_first_ms": did["first_token_ms"],
            "behind_ms": did["behind_ms"],
            "faster": did["faster"],
            "shared_s": did["shared_s"],
        }
    )


@dataclass(slots=True)
class Spoken:
    """How the sound of one text came. Times in seconds from its request."""

    first: float | None = None
    last: float = 0.0
    before: float = 0.0  # seconds of sound ahead of the chunk that came `last`
    sound: float = 0.0
    early: float = -math.inf  # of the chunk that came earliest, beside its stated time
    awaited: bool = True  # the listener has not held up the sound yet, as one does whose buffer is full

    def chunk(self, at: float, seconds: float, due: float) -> None:
        """`seconds` of sound came `at`, which were `due`."""
        self.early = max(self.early, due - at)
        self.first = at if self.first is None else self.first
        if self.awaited:
            self.last, self.before = at, self.sound
        self.sound += seconds

    @property
    def rate(self) -> float | None:
        """Seconds of sound a second, behind the first chunk."""
        took = self.last - (self.first or 0.0)
        return self.before / took if self.before and took > 0 else None


class PacedTts:
    """The Tts port, passed on as it is; when the sound came is kept beside the stated pace."""

    def __init__(
        self, tts: Tts, rate: int, model: str, first_chunk_ms: float, real_time_factor: float
    ) -> None:
        """`rate`: of the sound, Hz; the others are conf/pace/voice's."""
        self._tts, self._rate, self._model = tts, rate, model
        self._first, self._factor = first_chunk_ms / 1000, real_time_factor
        self._spoken: deque[Spoken] = deque(maxlen=KEPT)

    async def speak(self, text: str, voice: str) -> AsyncGenerator[Speech, None]:
        """The Tts port."""
        asked, spoken = anyio.current_time(), Spoken()
        self._spoken.append(spoken)
        async with closing(self._tts.speak(text, voice)) as sound:
            async for speech in sound:
                came = anyio.current_time()
                if speech.pcm.size:
                    due = self._first + self._factor * spoken.sound
                    spoken.chunk(came - asked, speech.pcm.size / self._rate, due)
                yield speech
                spoken.awaited = spoken.awaited and anyio.current_time() - came < HELD

    def kept(self) -> PaceKept:
        """What is known so far."""
        firsts = [each.first for each in self._spoken if each.first is not None]
        rates = [each.rate for each in self._spoken if each.rate is not None]
        return PaceKept(
            anyio.current_time(),
            VOICE,
            self._model,
            stated=1 / self._factor,
            kept=round(statistics.median(rates), 2) if rates else None,
            stated_first_ms=1000 * self._first,
            kept_first_ms=round(1000 * statistics.median(firsts), 1) if firsts else None,
            behind_ms=round(1000 * (max(firsts) - self._first), 1) if firsts else None,
            faster=sum(each.early > CLOCK for each in self._spoken),
            unit="seconds of sound",
        )
