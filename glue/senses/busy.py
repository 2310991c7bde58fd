"""Keeps the model's background lane at work, so that what speech suffers from it can be measured."""

import itertools
import logging

import anyio

from glue.closing import closing
from glue.errors import PortError
from glue.ports import Llm, Message, Prompt, Role

log = logging.getLogger(__name__)

WORDS = 400  # of the text to be summarised
AGAIN = 0.5  # seconds after a refusal
DAY = (
    "The stream began with a question about the rain, and the chat argued for a while whether it was louder "
    "on tin or on glass. Somebody drew the avatar as a teapot, which was voted picture of the evening. "
    "A game of chess was lost in eleven moves and explained for twenty minutes. "
)


def prompt(number: int) -> Prompt:
    """A summary of about 400 words; `number` stands in front, so that no cache knows it."""
    words = itertools.islice(itertools.cycle(DAY.split()), WORDS)
    task = f"Note {number}. Summarise this in five sentences: {' '.join(words)}"
    return Prompt("background", (Message("user", task),), max_tokens=200, temperature=0.3)


async def keep_busy(llm: Llm) -> None:
    """One background request after the other, until cancelled. The port makes them give way to speech."""
    for number in itertools.count(1):
        try:
            async with closing(llm.stream(prompt(number), Role.BACKGROUND)) as pieces:
                async for _ in pieces:
                    pass
        except PortError as error:
            log.info("a background request was not answered: %s", error)
            await anyio.sleep(AGAIN)
