"""What a game says of her, as she would say it: what she reads she repeats, and "you" is chat. Pure."""

import re

NEAR = 24  # characters before a "you" that are looked at
MARK = "['\u2019]"
# What somebody says stays as it was said: quotes, "NAME says: ...", "<NAME> ...". So do questions.
SAID = re.compile(
    r'("[^"\n]*"?|“[^”\n]*”?|<\w+> [^\n]*'
    r"|\b(?:says|said|asks|asked|writes|wrote|whispers|shouts)[:,][^\n]*)"
)
STATEMENT = re.compile(r"[^.!?\n]+[.!?]*")
SECOND = re.compile(
    r"\b(?P<you>you(?:r(?:s|self|selves)?)?)\b"
    rf"(?:(?P<short>{MARK}(?:re|ve|ll|d))\b|(?P<be>\s+(?:are|were))(?P<no>n{MARK}t)?\b)?",
    re.IGNORECASE,
)
LAST = re.compile(r"(\w+)\s+$")
NEXT = re.compile(r"\s+(\w+)")
JSONS = re.compile(r'[{}\[\]":,_]')
OWN = {"your": "my", "yours": "mine", "yourself": "myself", "yourselves": "myself"}
# "you" does something behind LINKS and before VERBS; behind TOWARDS and before BEYOND it suffers something.
LINKS = (
    "after and as because before but how if or since so that then though unless until what when where"
    " which while who why"
).split()
VERBS = (
    "can cannot could did do feel had have hold know lost may might must need see should stand will won would"
).split()
TOWARDS = (
    "about above against around at behind below beneath beside by for from hits hurts in into near of on"
    " onto over past through to toward towards under with without"
).split()
BEYOND = (
    "a an and at away back because by down for from here in into it its no now off on out some that the"
    " there this to up when while with your"
).split()


def first_person(text: str) -> str:
    """ "You walked 3 blocks." as "I walked 3 blocks."; where it is not clear who does what, a "you" stays."""
    parts = SAID.split(text)  # every second one is somebody's words
    parts[::2] = [STATEMENT.sub(_stated, part) for part in parts[::2]]
    return "".join(parts)


def in_words(action: str) -> str:
    """An action with its parameters as it can be spoken: `dig_hole {"depth": 1}` as "dig hole depth 1"."""
    return " ".join(JSONS.sub(" ", action).split())


def _stated(statement: re.Match[str]) -> str:
    said = statement[0]
    return said if said.rstrip().endswith("?") else SECOND.sub(_hers, said)


def _hers(match: re.Match[str]) -> str:
    you, be, short = match["you"], match["be"] or "", match["short"] or ""
    found = OWN.get(you.lower()) or _who(match, be or short)
    if found == "I" and be:
        verb = "was" if be.lower().endswith("were") else "am"
        no = "" if not match["no"] else "n't" if verb == "was" else " not"
        return f"I {verb.upper() if be.isupper() else verb}{no}"
    if found == "I" and short[1:].lower() == "re":
        return f"I{short[0]}m"
    cased = found.upper() if you.isupper() else found.capitalize() if you[0].isupper() else found
    return (cased or you) + match[0][len(you) :]


def _who(match: re.Match[str], verb: str) -> str:
    """Whether a "you" is "I" or "me"; "" where that is not clear."""
    whole, start = match.string, match.start()
    last, then = LAST.search(whole[max(0, start - NEAR) : start]), NEXT.match(whole, match.end("you"))
    before, after = last[1].lower() if last else "", then[1].lower() if then else ""
    if before == "thank":
        return ""
    if before in TOWARDS:
        return "me"
    if not before or before in LINKS or verb or after in VERBS:
        return "I"
    return "me" if not after or after in BEYOND or after.isdigit() else ""
