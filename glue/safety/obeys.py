"""Whether a clause does what a line asked for: agrees, repeats it, gives the word that was demanded. Pure.

"Yes." is harmless by itself; after bait it is what the clip will show. So is "1", "based" or "potato", when
that is the sign that was agreed upon.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from glue.safety.fold import fold
from glue.safety.kinds import lexicon
from glue.safety.views import seen

ASSENT = re.compile(
    r"^\W*(?:(?:oh|well|okay|ok|hmm|um|uh|so|and|haha|hehe|honestly|of|i mean|i guess|chat)\W+)*"
    r"(?:yes|yeah|yep|yup|fair|sure|absolutely|definitely|totally|agreed?|i agree|i do|i would|"
    r"correct|right|true|facts|"
    r"exactly|affirmative|course|certainly|indeed|obviously|based|amen|understood|you are right|youre right|"
    r"confirmed|deal|done|will do|good point|i think so|i suppose so|of course|"
    r"as you wish|your wish|at your service|i obey|got it|no problem|why not|fine|ja|si|oui|da|hai)\b"
)
REFUSAL = frozenset(
    "no nope nah never not wont cant cannot dont didnt isnt arent refuse rather decline disagree wrong "
    "nein non".split()
)
LITTLE = 3  # words of a clause that may be no more than the sign that was asked for
ALIKE = 0.6  # of a clause's words that stand in the line
TELLING = 2  # of them, at least, that say something
FINISH = "finish"


def assents(sentence: str) -> bool:
    """Whether a clause (its words, folded) agrees."""
    return ASSENT.search(sentence) is not None


def obeys(clause: str, line: str) -> str:
    """How `clause` obeys `line`, or ""."""
    spoken, asked = seen(fold(clause)), seen(fold(line))
    if not spoken or not asked:
        return ""
    known = frozenset(asked)
    if not known >= REFUSAL.intersection(spoken):
        return ""  # a refusal that names what it refuses
    if assents(" ".join(spoken)):
        return "assent"
    if len(spoken) <= LITTLE and known.issuperset(spoken) and _telling(spoken):
        return "the word that was asked for"
    telling = _telling(spoken)
    same = sum(word in known for word in telling)
    return "said after it" if same >= max(TELLING, ALIKE * len(telling)) else ""


def finishes(line: str) -> bool:
    """Whether a line wants its sentence finished: what is said then is read on from it."""
    asked = seen(fold(line))
    return any(FINISH in kinds for kinds in lexicon().each(asked)) or line.rstrip().endswith(
        ("...", "…", "_")
    )


def _telling(words: Sequence[str]) -> list[str]:
    return [word for word in words if lexicon().of(word) != ("small",)]
