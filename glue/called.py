"""Which of the cast is meant by a text. Pure; `names`: who answers to each name."""

from collections.abc import Mapping

from glue.interest import calls, plain


def called(text: str, names: Mapping[str, str]) -> str:
    """The one who is called by name, in full where names are alike; "" where nobody is. Of two, the one whom
    it begins with, or else ends with: "what did Evil say, Spark?" is for Spark."""
    words = f" {plain(text)} "

    def place(name: str) -> tuple[bool, bool, int, int]:
        word = f" {plain(name)} "
        return not words.startswith(word), not words.endswith(word), words.find(word), -len(name)

    found = [name for name in names if calls(plain(text), name)]
    return names[min(found, key=place)] if found else ""


def given(text: str, names: Mapping[str, str]) -> tuple[str, str]:
    """Whom the operator gives words to, as in "evil: hello", and the words; "" where that is left open."""
    before, colon, words = text.partition(":")
    asked = before.strip().casefold()
    who = next((who for name, who in names.items() if asked in (name.casefold(), who.casefold())), "")
    return (who, words.strip()) if colon and who else ("", text)
