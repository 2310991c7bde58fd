"""What one of the cast says, the others hear, too: it stands in what they are asked next."""

from collections.abc import Mapping

from glue.events import ChatLine
from glue.member import Member
from glue.ports import Prompt


def overheard(
    members: Mapping[str, Member], names: Mapping[str, str], who: str, line: ChatLine, said: str
) -> list[Prompt]:
    """`who` `said` this to `line`; `names`: what they are called. What the others' next prompts begin with
    now."""
    others = [member for member in members.values() if member.who != who]
    for other in others:
        other.mind.overhear(names.get(who, who), line, said)
    return [other.mind.prefix() for other in others]
