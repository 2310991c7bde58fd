"""When she remarks on what she sees: nobody speaks, and nobody's line waits. Pure, all times are given."""

from dataclasses import dataclass

from glue.events import ChatLine, Source
from glue.settings import DirectorSettings
from glue.sight_events import Seen, described


@dataclass(slots=True)
class Glance:
    """The newest sight that she has not remarked on."""

    _sight: Seen | None = None
    _last: float = float("-inf")  # her last remark

    def see(self, seen: Seen) -> None:
        """What she sees now."""
        self._sight = seen

    def due(self, quiet_since: float, now: float, settings: DirectorSettings) -> float:
        """When she may remark on it, `quiet_since` nobody has spoken; never, where there is nothing, or it is
        stale by then."""
        if self._sight is None:
            return float("inf")
        at = max(quiet_since + settings.glance, self._last + settings.glance_apart)
        return at if max(now, at) <= self._sight.at + settings.glance_fresh else float("inf")

    def take(self, now: float) -> ChatLine:
        """What she remarks on now; once."""
        assert self._sight is not None, "not due"
        line = ChatLine(f"seen-{now:.3f}", "", described(self._sight), Source.EYES)
        self._sight, self._last = None, now
        return line
