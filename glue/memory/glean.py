"""What a viewer says of themselves in so many words, taken down without a model: every line is read this way,
answered or not, at no cost to the reply. What is put less plainly is left to the model (notes.py)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from uuid import uuid4

from glue.events import ChatLine
from glue.memory.entry import Entry, Kind
from glue.memory.notes import LONGEST, Exchange, sound

READ = 300  # characters of a line
MOST = 3  # facts of one line
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
# of themselves, and in chat the "I" is often dropped
OWN = re.compile(
    r"\b(?:i|my|i'm|i've|mine)\b|^(?:been|could|just|finally|gonna|used to|can't|hate|love|got|moved|started|"
    r"finished|bought|made|went|going to|working|learning)\b",
    re.IGNORECASE,
)
LEAST = 5  # words of a line that is worth keeping as it was said
VAGUE = re.compile(r"^(?:it|that|this|you|your?\b.*|when|how|to you|spark|nothing|not?|him|her|them)\b", re.I)


def gleaned(
    source: str, line: ChatLine, persona: str, at: float, others: Collection[str] = ()
) -> list[Entry]:
    """The facts in a viewer's line, or, where it is about themselves in other words, what they said; nothing
    where it asks, orders, or names somebody else."""
    if line.deed or not line.author:
        return []
    said = " ".join(line.text[:READ].split()).replace("\u2019", "'")
    exchange = Exchange(source, line.author, said.rstrip("? "), "")  # _facts() has left out what is asked
    found = []
    for topic, text in _facts(said, line.author):
        if len(text) <= LONGEST and sound(text, Kind.VIEWER, exchange, others):
            about = (persona, line.viewer, text, at, 0.0, topic, source, line.author)
            found.append(Entry(uuid4().hex, Kind.VIEWER, *about))
    if not found and OWN.search(said) and not said.endswith("?") and len(said.split()) >= LEAST:
        text = f'{line.author} said "{said}"'
        if len(text) <= LONGEST and sound(text, Kind.EPISODE, exchange, others):
            about = (persona, line.viewer, text, at, 0.0, "", source, line.author)
            found = [Entry(uuid4().hex, Kind.EPISODE, *about)]
    return found[:MOST]


def _facts(said: str, viewer: str) -> Iterator[tuple[str, str]]:
    asks = said.rstrip().endswith("?")
    clauses = [clause for clause in BREAK.split(said) if clause]
    for clause in clauses[: -1 if asks else None]:
        plain = TAIL.sub("", LEAD.sub("", clause.strip(" .!?,;\"'")))
        for pattern, topic, words in READY:
            match = pattern.fullmatch(plain)
            if match is None:
                continue
            x, y = match["x"].strip(), match.groupdict().get("y", "").lower()
            if x and len(x.split()) <= WORDS and not VAGUE.match(x):
                yield topic.format(y=y)[:40], words.format(v=viewer, x=x, y=y)
            break
