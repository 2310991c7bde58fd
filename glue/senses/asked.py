"""What she truly sees when a viewer asks about it. Pure."""

from __future__ import annotations

import re

from glue.ports import Fact
from glue.sight_events import Seen, described, unquoted

YOU = r"(?:you|ya|u)(?: even| actually| really)?"
SCREEN = r"(?:screen|monitor|display|picture)\b"
OTHER = (
    r"yourself|as|if|when|him|her|them|me|us|in (?!(?:the|this|that|my|your) (?:picture|image|photo|game))"
)
WHAT = r"this|that|it|anything|something|what(?:['\u2019]?s| is) (?:on|happening|going on)"
ASKS = re.compile(
    rf"\bwhat\b[^.!?]{{0,40}}\b(?:on|in) (?:(?:the|your|my|this|that) )?{SCREEN}"
    rf"|\bwhat (?:do|can) {YOU} see\b(?! (?:{OTHER})\b)"
    rf"|\bwhat (?:are|r) {YOU} (?:looking at|watching|seeing)\b"
    rf"|\b(?:can|could|do) {YOU} see (?:(?:{WHAT})\b|(?:the|my|your) {SCREEN})"
    rf"|\b(?:look at|read) (?:the|my|your|this) {SCREEN}"
    rf"|\bwhat does (?:it|that|this|(?:the|my|your) {SCREEN}) say\b",
    re.IGNORECASE,
)
NOTHING = Fact("Nothing can be made out on the screen right now.", "I see nothing right now.")
SAID = 60  # characters of a sight that she says as they are
ENDS = re.compile(r"^\W+|\W+$")


def asks(text: str) -> bool:
    """Whether somebody wants to know what she sees; all other lines cost no token of it."""
    return ASKS.search(text) is not None


def told(seen: Seen | None) -> Fact:
    """What to tell her before she answers, and what she begins with: of a screen that she is only told of, a
    small model says something else. It stands in quotation marks, whatever it says."""
    words = unquoted(described(seen)) if seen else ""
    said = [_short(text) for text in (seen.caption, ", ".join(seen.things), *seen.texts)] if seen else []
    first = next((number for number, text in enumerate(said) if text), None)
    if first is None:
        return NOTHING
    return Fact(f'On the screen now: "{words}"', f"{'I see' if first < 2 else 'It says'}: {said[first]}.")


def _short(text: str) -> str:
    """A beginning of it, from a word to a word; "" of signs alone."""
    text = unquoted(text)
    if len(text) > SAID:
        cut = text[:SAID].rpartition(" ")[0]
        text = cut or text[:SAID]
    return ENDS.sub("", text)
