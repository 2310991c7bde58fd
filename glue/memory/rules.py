"""The patterns by which a viewer's own words are taken down, and the sentences that are written of them.

Which words of both are ours and which the viewer's is asked where a name is looked for: "mira lives in Oslo"
names nobody who is called "lives", and "I love trains" nobody who is called "love".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

WORDS = 6  # of what is said of a thing
PETS = r"cat|dog|hamster|rabbit|parrot|horse|snake|turtle|goldfish|ferret|lizard|bird|kitten|puppy|bunny"
FAMILY = r"sister|brother|mum|mom|dad|wife|husband|son|daughter|girlfriend|boyfriend|roommate|boss"

# a pattern over one clause; the fact's topic (one that begins with "my" holds once: a new one ends it); words
RULES = [
    (r"my (?:real )?name(?:'s| is) (?P<x>.+)", "name", "{v}'s name is {x}"),
    (r"i(?:'ve| have)? (?:just |recently |finally )?moved to (?P<x>.+)", "home", "{v} lives in {x}"),
    (r"i(?: now| currently| still)? live in (?P<x>.+)", "home", "{v} lives in {x}"),
    (r"i(?:'m| am) (?:now )?living in (?P<x>.+)", "home", "{v} lives in {x}"),
    (r"i(?: now| currently)? work as (?:a |an )?(?P<x>.+)", "job", "{v} works as a {x}"),
    (r"i(?:'m| am) now working as (?:a |an )?(?P<x>.+)", "job", "{v} works as a {x}"),
    (r"i(?:'ve| have)? (?:just )?(?:started|got) (?:a (?:new )?job )as (?:a |an )?(?P<x>.+)", "job",
     "{v} works as a {x}"),
    (r"i(?:'m| am| just turned) (?P<x>\d{1,2})(?: years old| now)?", "age", "{v} is {x} years old"),
    (r"my birthday(?:'s| is) (?P<x>.+)", "my birthday", "{v}'s birthday is {x}"),
    (rf"my (?:\w+ )?(?P<y>{PETS})(?:'s name)?(?:'s| is) (?:called |named )?(?P<x>(?-i:[A-Z])\w+)", "pet",
     "{v}'s {y} is called {x}"),
    (rf"i (?:have|got|own|adopted) (?:a |an )?(?:\w+ )?(?P<y>{PETS}) (?:called|named) (?P<x>\w+)", "pet",
     "{v}'s {y} is called {x}"),
    (rf"my (?P<y>{FAMILY})(?:'s name)?(?:'s| is) (?:called |named )?(?P<x>.+)", "other", "{v}'s {y} is {x}"),
    (r"my (?:new )?favou?rite (?P<y>\w+)(?:'s| is)(?: now)? (?P<x>.+)", "my favourite {y}",
     "{v}'s favourite {y} is {x}"),
    (r"i(?: really| absolutely)? (?P<y>love|like|adore|enjoy) (?P<x>.+)", "likes", "{v} {y}s {x}"),
    (r"i(?: really)? (?:hate|can't stand|dislike) (?P<x>.+)", "dislikes", "{v} dislikes {x}"),
    (r"i(?:'m| am) allergic to (?P<x>.+)", "other", "{v} is allergic to {x}"),
    (r"i(?:'m| am) (?:learning|studying) (?P<x>.+)", "my studies", "{v} is learning {x}"),
    (r"i (?P<y>play|collect|speak|drive|build) (?P<x>.+)", "other", "{v} {y}s {x}"),
    (r"i(?:'m| am) from (?P<x>.+)", "my origin", "{v} is from {x}"),
]  # fmt: skip
READY = [(re.compile(pattern, re.IGNORECASE), topic, words) for pattern, topic, words in RULES]
LEAD = re.compile(
    r"^(?:(?:well|so|btw|by the way|fun fact|hey|hi|ok|yeah|yes|oh|lol|and|but|guys|chat|spark|also|actually|"
    r"you know|just so you know|guess what|update|news|ps)\b[\s:]*)+",
    re.IGNORECASE,
)
TAIL = re.compile(
    r"(?:\s+(?:now|these days|btw|lol|haha|too|already|though|by the way|you know|right now|since \w+|xd|"
    r"every day|(?:last|this) (?:week|month|year|summer|spring|winter)))+$",
    re.IGNORECASE,
)
BREAK = re.compile(
    r"[.!?;,:()]+\s+|[.!?;,]+$|\s(?:and|but|because|so|which|who) (?=(?:i|my|i'm|he|she|it)\b)", re.I
)
VAGUE = re.compile(r"^(?:it|that|this|you|your?\b.*|when|how|to you|spark|nothing|not?|him|her|them)\b", re.I)
ASIDE = " .!?,;\"'"  # around a clause
SAID = 'said "{x}"'  # how what fits no pattern is written down, behind the viewer's name
QUOTED = re.compile(r'\s*said "(.*)"', re.DOTALL)
# words of notes that say nothing by themselves
SMALL = frozenset(
    "that this with from have has had been being they them their she her him his its was were are is and the "
    "for who said says told likes like lives named called about viewer fact will would does".split()
)


def facts(said: str, viewer: str) -> Iterator[tuple[str, str]]:
    """What a line states in so many words: the topic, and a sentence."""
    asks = said.rstrip().endswith("?")
    for clause in clauses(said)[: -1 if asks else None]:
        match, topic, words = _matched(clause)
        if match is None:
            continue
        x, y = match["x"].strip(), match.groupdict().get("y", "").lower()
        if x and len(x.split()) <= WORDS and not VAGUE.match(x):
            yield topic.format(y=y)[:40], words.format(v=viewer, x=x, y=y)


def clauses(said: str) -> list[str]:
    """The parts of a line that are sentences of their own."""
    return [clause for clause in BREAK.split(said) if clause]


def chosen(said: str) -> str:
    """The words of a line that a pattern did not ask for: whom it names is among them."""
    found = ((_matched(clause)[0], clause) for clause in clauses(said))
    return "; ".join(clause if match is None else match["x"] for match, clause in found)


def taken(text: str, viewer: str) -> str:
    """The words of an entry's text that came from the viewer: neither the name in front nor ours."""
    body = text[len(viewer) :] if text.casefold().startswith(viewer.casefold()) else text
    if quoted := QUOTED.fullmatch(body):
        return chosen(quoted[1])
    for sentence in WRITTEN:
        if match := sentence.fullmatch(body):
            return match["x"]
    return " ".join(word for word in re.findall(r"\w+", body) if word.casefold() not in OURS)


def _matched(clause: str) -> tuple[re.Match[str] | None, str, str]:
    plain = TAIL.sub("", LEAD.sub("", clause.strip(ASIDE)))
    for pattern, topic, words in READY:
        if match := pattern.fullmatch(plain):
            return match, topic, words
    return None, "", ""


def _kind(pattern: str) -> str:
    """What a pattern takes for its {y}."""
    found = re.search(r"\(\?P<y>([^)]+)\)", pattern)
    return found[1] if found else ""


def _sentence(pattern: str, words: str) -> re.Pattern[str]:
    """What an entry looks like that was written by a rule, behind the viewer's name."""
    holes = {"{v}": "", "{x}": "(?P<x>.+)", "{y}": f"(?:{_kind(pattern)})"}
    parts = re.split(r"(\{[vxy]\})", words)
    return re.compile("".join(holes.get(part, re.escape(part)) for part in parts), re.IGNORECASE)


WRITTEN = [_sentence(pattern, words) for pattern, _, words in RULES]
OURS = SMALL.union(  # and those of our sentences
    word
    for pattern, _, words in RULES
    for y in _kind(pattern).split("|")
    for word in re.findall(r"[a-z]+", words.format(v="", x="", y=y))
)
