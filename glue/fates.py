"""What becomes of a line. Pure."""

from glue.events import Ending, Fate, TurnEnded


def fate(ended: TurnEnded) -> Fate:
    """What became of the line that a turn answered."""
    if ended.heard:
        return Fate.ANSWERED
    match ended.ending:
        case Ending.FAILED:
            return Fate.FAILED
        case Ending.CUT:
            return Fate.SKIPPED
        case Ending.DUMPED:
            return Fate.DUMPED
        case _:
            return Fate.SILENT
