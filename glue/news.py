"""What she should tell chat by herself, as a line of her own. Pure."""

from glue.events import ChatLine, Source

UNSPOKEN = frozenset({Source.GAME, Source.HERSELF, Source.EYES, Source.TWIN})  # of lines that no viewer said
NEWS = "news-"  # how the ids of such lines begin: nobody sent them, nobody asks what became of them


def news(text: str, at: float) -> ChatLine:
    """The line for `text`, which tells her what to say; it comes before chat's lines."""
    return ChatLine(f"{NEWS}{at:.3f}", "", text, Source.HERSELF, supporter=True)
