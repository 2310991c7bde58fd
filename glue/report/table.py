"""Report -> a table in the terminal: the figures, the targets beside them, met or not."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from glue.report.numbers import Report
from glue.report.targets import Target, Verdict, bound
from glue.report.targets import targets as judged
from glue.spread import Spread

COLOUR = {Verdict.MET: "green", Verdict.MISSED: "red", Verdict.FEW: "yellow", Verdict.UNKNOWN: "dim"}


def show(report: Report, console: Console | None = None) -> None:
    """Print it."""
    console = console or Console()
    console.print(spreads(report))
    console.print(targets(report))
    console.print(escape(summary(report)), highlight=False)


def targets(report: Report) -> Table:
    """What was to be reached, and what was."""
    table = Table("target", "at most", "measured", "n", "", title="Targets", title_justify="left")
    for target in judged(report):
        colour, said = COLOUR[target.verdict(report)], target.said(report)
        table.add_row(*target_row(target, report), f"[{colour}]{said}[/]")
    return table


def spreads(report: Report) -> Table:
    """Every distribution, in the order in which a reply runs."""
    table = Table("", "n", "p50", "p95", "p99", "max", title="Milliseconds and tokens", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, spread in rows(report):
        cells = [number(value) for value in (spread.p50, spread.p95, spread.p99, spread.max)]
        table.add_row(escape(name), str(spread.n), *cells)
    return table


def rows(report: Report) -> list[tuple[str, Spread]]:
    """The distributions with their names."""
    return [
        ("chat to first audio", report.first_audio_ms),
        ("  line came while she was idle", report.first_audio_idle_ms),
        ("  line waited (from the end of that speech)", report.first_audio_waited_ms),
        ("  end of speech to first audio (heard aloud)", report.after_speech_ms),
        *[(name, spread) for name, spread in _aloud(report) if spread.n],
        ("wait in the queue", report.queue_wait_ms),
        *[(f"  to {stage.replace('_', ' ')}", spread) for stage, spread in report.stages_ms.items()],
        ("our share", report.our_share_ms),
        ("floor: a bare loop, same requests", report.floor_ms),
        ("  and ours for these", report.floor_ours_ms),
        ("silence between clauses", report.gaps_ms),
        *_recall(report),
        ("new prompt tokens", report.new_prompt_tokens),
        ("  beyond the line's own", report.new_beyond_line_tokens),
    ]


def _aloud(report: Report) -> list[tuple[str, Spread]]:
    """What only a show has in which somebody speaks to her."""
    return [
        ("  end of speech to the final words, as heard", report.final_ms),
        ("  - by the script, said fluently", report.final_fluent_ms),
        ("  - with a pause in it", report.final_hesitant_ms),
        ("talked into: from the words that stop her to silence", report.barge_in_ms),
        ("  from the end of the second of these words", report.barge_in_word_ms),
    ]


def said_aloud(report: Report) -> str:
    """A line for each kind of utterance in the sound's script."""
    return "".join(
        f"said aloud, {kind}: {n['said']}; {n['heard']} heard to the end, {n['split']} of them in several "
        f"lines, {n['joined']} of these answered as a whole\n"
        for kind, n in report.said_aloud.items()
    )


def _recall(report: Report) -> list[tuple[str, Spread]]:
    """Of a show with a memory."""
    found = [
        ("recall, beside the show", report.recall_ms),
        ("  what replies waited for it", report.recall_wait_ms),
        ("  tokens recalled, where there were any", report.recalled_tokens),
        ("  first audio of these", report.first_audio_recalled_ms),
        ("  first audio where nothing was recalled", report.first_audio_nothing_recalled_ms),
        ("  first audio where memory was not asked", report.first_audio_without_memory_ms),
    ]
    return [(name, spread) for name, spread in found if spread.n]


def summary(report: Report) -> str:
    """One paragraph: the machine, the models, the counts."""
    fates = ", ".join(f"{count} {fate}" for fate, count in report.lines_by_fate.items())
    opened = f"{report.opened} were opened by the small model, " if report.opened else ""
    distinct = ""
    if report.distinct_openings and report.distinct_first_words:
        alike = f"{report.distinct_first_words:.0%} by their first four words"
        distinct = f"{report.distinct_openings:.0%} of them differently, {alike}. "
    by = ", ".join(f"{count} by {who}" for who, count in report.decisions_by.items())
    decided = f"Decisions in games: {by}.\n" if by else ""
    late = f"{why}\n" if (why := bound(report)) else ""
    cached = "?" if report.cached_prompt_share is None else f"{report.cached_prompt_share:.0%}"
    return (
        f"{report.turns} replies ({report.by_herself} unasked) to {report.lines_in} lines in "
        f"{report.seconds:.0f} s: {fates}. {opened}{distinct}{cached} of the prompts came from the cache.\n"
        f"{late}{decided}{said_aloud(report)}{''.join(paces(report))}"
        f"machine: {words(report.machine)}\nmodels: {words(report.models)}\n{report.method}"
    )


def paces(report: Report) -> list[str]:
    """A line for each model whose pace was played, and for the voice."""
    return [
        f"pace of {p['model']}: {number(p['stated'])} {p['unit']} a second stated, {number(p['kept'])} kept; "
        f"the first after {number(p['stated_first_ms'], 'ms')} at least, {number(p['kept_first_ms'], 'ms')} "
        f"kept; this machine was late by {number(p['behind_ms'], 'ms')} at most; "
        f"{_shared(p['shared_s'])}{p['faster']} answers were faster than stated\n"
        for p in report.paces
    ]


def _shared(seconds: float) -> str:
    return f"{number(seconds, 's')} went to the other model, at work beside it; " if seconds else ""


def words(facts: dict[str, object]) -> str:
    """A flat mapping in one line."""
    return ", ".join(f"{name} {value}" for name, value in facts.items()) or "not stated"


def target_row(target: Target, report: Report) -> tuple[str, str, str, str]:
    """A target, what it may be, what it was and of how many samples."""
    value, n = target.value(report), target.n(report)
    return target.what, number(target.most, target.unit), number(value, target.unit), str(n or "")


def number(value: float | None, unit: str = "") -> str:
    """A figure with three digits or so; a dash for what is not known."""
    if value is None:
        return "-"
    text = f"{value:.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"
    return f"{text} {unit}".rstrip()
