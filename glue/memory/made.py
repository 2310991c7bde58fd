"""A memory of made-up entries, for measurements: in a place of its own, beside the real one."""

from __future__ import annotations

from glue.errors import ConfigError
from glue.memory.bench import entry, fill
from glue.memory.entry import SHARED, Entry, Kind, meant
from glue.memory.serving import Servers
from glue.memory.store import Store

# What any viewer may be told of: these have the vectors of their meaning, so that some lines of a show recall
# some; the rest have vectors by chance, which changes what a search finds and not what it costs.
TOPICS = (
    "toasters and who has opinions",
    "the German words that Spark knows",
    "how Spark's day was, and it was loud",
    "thunderstorms and why they are the best weather",
    "night trains and where they sleep",
    "the worst puns of the year",
    "a boss fight that took nine tries",
    "what to cook when the kitchen is on fire",
    "cats on keyboards and who feeds them",
    "drawing hands and giving up on them",
    "homework, maths and how much is seventeen times three",
    "music that sounds like rain",
    "a first stream and how nervous everybody was",
    "sleep, and who needs it",
    "dreams of electric sheep",
    "birthdays and cakes made of batteries",
    "being sad after a bad day, and what helped",
    "robots, and whether an AI can be shy",
    "favourite colours, and gold won",
    "speedruns and glitches",
    "the lag and whose fault it was",
    "coffee against tea, and tea won",
    "books with dragons in them",
    "moving to another town",
    "a job interview that went well",
    "winter, snow and cold feet",
    "space, rockets and the moon",
    "a bug in the code that nobody found",
    "who wins tonight, with a bet on it",
    "pizza with pineapple",
)
WORDS = (
    "chat and Spark talked about {}",
    "once the whole chat argued about {}",
    "Spark made a joke about {}",
)


def told() -> list[Entry]:
    """What all viewers may be told."""
    lines = [words.format(topic) for topic in TOPICS for words in WORDS]
    return [Entry(f"t{n}", Kind.EPISODE, SHARED, "", text, float(n)) for n, text in enumerate(lines)]


async def furnish(store: Store, servers: Servers, count: int) -> None:
    """Put `count` entries into the files and the index. Raises PortError, ConfigError."""
    if count < 0:
        raise ConfigError("memory.adapter.made: must not be negative")
    known = told()[:count]
    rest = count - len(known)
    async with servers.opened(within=60.0) as (index, vectors):
        await index.again()
        for each in (*known, *map(entry, range(rest))):
            store.put(each)
        await index.add(known, await vectors.embed([meant(each) for each in known]))
        await fill(index, rest, servers.dimensions)
