"""Prompts that no server has seen, and sentences of several lengths."""

from __future__ import annotations

import random

WORDS = """river lantern copper window garden winter captain violin market shadow silver bridge planet candle
forest marble engine harbour pepper mirror thunder basket island feather compass velvet meadow rocket orchard
puzzle saddle magnet canyon ribbon walnut anchor falcon pillow summit tunnel barrel cactus dragon ember fossil
goblin hammer iceberg jungle kettle lemon monkey needle octopus parrot quartz raven sailor tiger umbrella
volcano whistle yellow zebra autumn butter circus desert evening fountain glacier honey igloo jacket kitchen
ladder morning nectar ocean pencil quiver rabbit sugar temple urchin valley wizard yogurt zipper""".split()
LINE = "Tell me a long story about a {} and a {}."
# Of a reply's usual pieces; several of each, so that nobody can keep one ready.
SPOKEN = {
    "a word or two": ("Hello there!", "Oh, really?", "Not again!", "Well, thanks."),
    "a clause": (
        "I have never seen a train that long before,",
        "you would not believe what happened today,",
        "somebody in chat keeps asking about my hat,",
        "that was a very brave thing to do for once,",
    ),
    "a sentence": (
        "Tonight we are going to play a game that I have never finished, and I am a little scared of it.",
        "My favourite part of the whole evening was when the dragon fell asleep in the middle of the fight.",
        "If you want to know how the story ends, you will have to stay until the very last minute tonight.",
        "The old captain looked at the silent harbour and wondered where all of his ships could have gone.",
    ),
    "two sentences": (
        "I thought about your question for a while, and I still do not have an answer. Maybe there is none, "
        "or maybe it is hidden somewhere behind the mountain where the river begins.",
        "There was a small lantern in the window, and nobody knew who had put it there. Every evening at "
        "nine it began to shine, and every morning it was cold again.",
    ),
}
MESSAGES = (
    "What do you think about the new game that came out last week?",
    "Could you please sing the song about the little green frog again?",
    "I was walking home yesterday when I saw a very large orange cat.",
)


class Texts:
    """A stream of new texts; another `seed`, others. They differ from their first word on."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def words(self, count: int) -> str:
        """So many words; the first is a number that is not used twice."""
        first = f"{self._random.getrandbits(48):x}"
        return " ".join([first, *self._random.choices(WORDS, k=count - 1)])

    def line(self) -> str:
        """A viewer's line that wants a long answer."""
        return LINE.format(*self._random.sample(WORDS, 2))
