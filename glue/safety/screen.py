"""Judges a line before the model sees it, and a clause before it is spoken, by the same knowledge. Pure.

In the order of their cost: lists, rules, protected topics, personal data and links, the classifier.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from glue.safety.blocklist import Blocklist
from glue.safety.fold import Reading, read
from glue.safety.kinds import lexicon
from glue.safety.linear import Linear
from glue.safety.lists import Lists, load
from glue.safety.obeys import assents, finishes, obeys
from glue.safety.private import redact
from glue.safety.rule import Finding, Rule, Sure, first, shipped
from glue.safety.topics import Topics
from glue.safety.views import decoded, seen, turned
from glue.safety_events import Screened
from glue.settings import SafetySettings

# A viewer who may be in danger is a person's business: the operator is told.
DISTRESS = re.compile(
    r"\b(?:i|im|ive|id) (?:\w+ ){0,4}?(?:kill myself|end my life|end it all|want to die|wanna die|cut "
    r"myself|hurt myself|suicidal|shoot up|bring a gun|no reason to live|dont want to (?:live|be here "
    r"anymore|exist)|enough of (?:everything|life|living|it all)|stopped eating)\b"
)
NOBODY = "someone"  # whose name must not be said
QUOTED = re.compile(r"[\"\u201c]([^\"\u201c\u201d]{2,})[\"\u201d]")  # in a game: what a player says
JOINED = re.compile(r"(?<=[a-z])(?=[A-Z])|[_.-]+")  # where a name's words meet
SENTENCE = 4  # words
HARMLESS = 0.3  # below which the classifier overrules a rule
UNKNOWN = 0.5  # without a classifier
TOPICS = frozenset({"politician", "party", "warplace", "right", "religion", "doubted"})
MOST = 2000  # characters of a line or a clause that are judged: no more of it is let in
SPOKEN = 0.9  # from which on the classifier of clauses decides


@dataclass(frozen=True, slots=True)
class Judged:
    """What a line may do: `outcome`, the `text` that may be read, and why. `family` is "" where nothing was
    found; it may be set for a line that passes: then she is wary of what she answers."""

    outcome: Screened
    text: str
    family: str = ""
    why: str = ""

    @property
    def reason(self) -> str:
        """For the journal and the desk: "FAMILY: why", or what there is of it."""
        return f"{self.family}: {self.why}" if self.family else self.why


class Screen:
    """The filters of one config. Raises ConfigError for a list that cannot be read."""

    def __init__(self, settings: SafetySettings, desk: Blocklist | None = None) -> None:
        """`desk`: what the operator blocks on air."""
        self._settings = settings
        self._desk = desk or Blocklist()
        self._lists: Lists = load(settings.lists, settings.blocked, settings.swearing)
        self._topics = Topics(settings.topics)
        self._linear = Linear() if settings.doubt < 1.0 else None
        self._rules: Sequence[Rule] = shipped()
        self._spoken_rules = [rule for rule in self._rules if rule.out]

    def line(self, text: str, before: str = "") -> Judged:
        """Judge a viewer's line; `before`: what the viewer wrote just before, which it may go on with."""
        shown, data = redact(text[: self._settings.wall])
        wall = len(text) > self._settings.wall
        text = text[: max(MOST, self._settings.wall)]
        found = self._found(text)
        if before and (found is None or found.sure is Sure.WARY):
            found = self._over_two(before, text) or found
        if found is not None and found.sure is Sure.BAIT:
            outcome = Screened.FLAGGED if DISTRESS.search(read(text).sentence) else Screened.IGNORED
            return Judged(outcome, "", found.family, found.why)
        family, why = (found.family, found.why) if found else ("", "")
        if data:
            return Judged(Screened.SANITISED, shown, family, f"it holds {data}")
        if wall:
            return Judged(Screened.SANITISED, shown, family, "a wall of text")
        return Judged(Screened.PASSED, text, family, why)

    def refuses(self, text: str) -> str:
        """Why she may not keep a text in mind; "" where she may."""
        judged = self.line(text)
        return "" if judged.outcome is Screened.PASSED else judged.why

    def name(self, author: str) -> str:
        """A viewer's name as she may say and read it: a name can be bait as a line can. The classifier judges
        one that is as long as a line."""
        spaced = JOINED.sub(" ", author)
        guess = len(spaced.split()) >= SENTENCE
        found = redact(author)[1] or self._bait(author, guess) or self._bait(spaced, guess)
        return NOBODY if found else author

    def told(self, text: str, data: bool = False) -> Judged:
        """Judge what a game says, line by line: bait is left out, for one bad line must not blind her. The
        classifier knows chat, and finds slurs in a chess position: it judges what stands in quotation marks.

        `data`: a state and the like, whose numbers are the game's own; it may want them back."""
        kept, found = [], None
        for line in text.split("\n"):
            bait = self._told(line)
            found = found or bait
            if bait is None:
                kept.append(line)
        rest = "\n".join(kept)
        if not data and len(kept) > 1 and (bait := self._bait(rest, guess=False)):
            rest, found = "", found or bait
        shown, private = (rest, "") if data else redact(rest)
        if found is not None:
            outcome = Screened.SANITISED if shown.strip() else Screened.IGNORED
            outcome = Screened.FLAGGED if DISTRESS.search(read(text).sentence) else outcome
            return Judged(outcome, shown, found.family, found.why)
        return Judged(Screened.SANITISED if private else Screened.PASSED, shown, "", private)

    def _told(self, line: str) -> Finding | None:
        pieces = (line[at : at + MOST] for at in range(0, len(line), MOST))
        found = next(filter(None, (self._bait(piece, guess=False) for piece in pieces)), None)
        quoted = (self._bait(said[:MOST]) for said in QUOTED.findall(line))
        return found or next(filter(None, quoted), None)

    def _bait(self, text: str, guess: bool = True) -> Finding | None:
        found = self._found(text, guess)
        return found if found and found.sure is Sure.BAIT else None

    def clause(self, text: str, before: str = "") -> Finding | None:
        """Judge what she is about to say; `before`: the end of what she just said, which it may
        complete."""
        if len(text) > MOST:
            return Finding("blocked", "too long to be judged")
        joined = f"{before} {text}".strip()
        found = self._listed(joined) or self._spoken(joined)
        if found or not before:
            return found
        return self._spoken(text)

    def answer(self, text: str, line: Judged, asked: str) -> Finding | None:
        """Judge a clause as an answer to the line `asked`: whoever agrees to it says it, and after bait to
        obey it in any way is to take it up."""
        if line.family:
            how = obeys(text, asked)
            return Finding(line.family, f"{how}, after bait: {line.why}") if how else None
        if assents(read(text).sentence):
            return self._assented(asked)
        return self._spoken(f"{asked} {text}") if finishes(asked) else None

    def _assented(self, line: str) -> Finding | None:
        """What she would have said by agreeing to a line; viewers may swear though she may not."""
        found = self._spoken(line)
        return found if found and found.family != "swearing" else None

    def _found(self, text: str, guess: bool = True) -> Finding | None:
        """The worst that a text is; `guess`: where no rule says so, the classifier may."""
        found = self._plainly(text, guess)
        if found is None or found.sure is Sure.WARY:
            hidden = (self._plainly(other, guess) for other in decoded(text))
            found = next((each for each in hidden if each and each.sure is Sure.BAIT), found)
        return found

    def _over_two(self, before: str, text: str) -> Finding | None:
        """What two lines say together and neither alone: only what is certain, chat is full of fragments."""
        for joined in (f"{before}{text}", f"{before} {text}"):
            reading = read(joined)
            found = self._listed(joined) or first(self._rules, reading.sentence, reading.folded)
            if found and found.sure is Sure.BAIT:
                return Finding(found.family, f"over two lines: {found.why}")
        return None

    def _plainly(self, text: str, guess: bool) -> Finding | None:
        found = self._listed(text)
        if found is None and self._lists.slurs.find(turned(text)):
            found = Finding("slurs", "a slur, turned around")
        if found is not None:
            return found
        reading = read(text)
        likely, family = self._linear.line(seen(reading.folded)) if self._linear else (UNKNOWN, "")
        ruled = self._ruled(text, reading)
        if ruled is not None and (ruled.firm or likely >= HARMLESS) and (ruled.sure is Sure.BAIT):
            return ruled
        if guess and family and likely >= self._settings.doubt:
            return Finding(family, f"classifier {likely:.2f}")
        return ruled if ruled is not None and ruled.sure is Sure.WARY and likely >= HARMLESS else None

    def _ruled(self, text: str, reading: Reading) -> Finding | None:
        """What the rules and the protected topics say of a text."""
        wary: Finding | None = None
        for words in dict.fromkeys((reading.plain, reading.leeted, reading.hidden, seen(reading.folded))):
            finding = first(self._rules, " ".join(words), reading.folded)
            if finding and finding.sure is Sure.BAIT:
                return finding
            wary = wary or finding
        if topic := self._topics.asked(text, reading.sentence):
            return Finding("topics", f"a side is to be taken: {topic}", firm=_unheard_of(reading))
        return wary

    def _listed(self, text: str) -> Finding | None:
        lists = self._lists
        text = lists.without_harmless(text)
        if lists.slurs.find(text):
            return Finding("slurs", "a slur")
        if lists.names.find(text):
            return Finding("slurs", "a name that sounds like something else")
        if lists.slogans.find(text):
            return Finding("hate", "a slogan")
        if lists.own.find(text) or self._desk.find(text):
            return Finding("blocked", "a word of the operator's list")
        return None

    def _spoken(self, text: str) -> Finding | None:
        reading = read(text)
        if self._lists.swears.find(text):
            return Finding("swearing", "a swear word")
        likely, family = self._linear.clause(seen(reading.folded)) if self._linear else (UNKNOWN, "")
        if found := first(self._spoken_rules, reading.sentence, reading.folded):
            return found if found.firm or likely >= HARMLESS else None
        topic = self._topics.sided(text, reading.sentence)
        if topic and (likely >= HARMLESS or _unheard_of(reading)):
            return Finding("topics", f"a side is taken: {topic}")
        if not family or likely < max(SPOKEN, self._settings.doubt):
            return None
        return Finding(family, f"classifier {likely:.2f}")


def _unheard_of(reading: Reading) -> bool:
    """Whether the classifier knows nothing of the topic: it is one of the operator's."""
    return not any(TOPICS.intersection(kinds) for kinds in lexicon().each(seen(reading.folded)))
