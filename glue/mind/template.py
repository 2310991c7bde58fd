"""A conversation as the text that a model was trained on: some servers continue an answer only so."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from glue.ports import Message

# The date is a constant of Llama 3.1's own template; a real one would change the cached prefix every day.
LLAMA3_PREAMBLE = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"


class Template(StrEnum):
    """The formats that we write ourselves."""

    NONE = ""  # the server's own, over chat messages: then an answer cannot be continued
    LLAMA3 = "llama3"  # Llama 3.1 and 3.3
    CHATML = "chatml"  # Qwen, SmolLM2


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text, ending in the first words of the answer, and the marks that end an answer."""

    text: str
    stop: tuple[str, ...]


def render(template: Template, messages: Iterable[Message], opening: str) -> Rendered:
    """Lay out `messages` and the beginning of the answer to them."""
    write, stop = FORMATS[template]
    return Rendered(write(tuple(messages)) + _plain(opening), stop)


def _llama3(messages: tuple[Message, ...]) -> str:
    """Source: the chat template that Meta publishes with Llama-3.1-Instruct, without its tools."""
    system, rest = "", messages
    if messages and messages[0].role == "system":
        system, rest = messages[0].content, messages[1:]
    head = "<|begin_of_text|>" + _llama3_turn("system", LLAMA3_PREAMBLE + _plain(system))
    turns = "".join(_llama3_turn(each.role, _plain(each.content)) for each in rest)
    return f"{head}{turns}<|start_header_id|>assistant<|end_header_id|>\n\n"


def _llama3_turn(role: str, content: str) -> str:
    return f"<|start_header_id|>{role}<|end_header_id|>\n\n{content}<|eot_id|>"


def _chatml(messages: tuple[Message, ...]) -> str:
    """Source: the chat templates of Qwen 2.5 and SmolLM2, without the system message that they make up."""
    turns = "".join(f"<|im_start|>{each.role}\n{_plain(each.content)}<|im_end|>\n" for each in messages)
    return f"{turns}<|im_start|>assistant\n"


def _plain(content: str) -> str:
    """Somebody's words can never be the marks of the format: the server would read them as such."""
    return content.strip().replace("<|", "< |")


FORMATS: Mapping[Template, tuple[Callable[[tuple[Message, ...]], str], tuple[str, ...]]] = {
    Template.LLAMA3: (_llama3, ("<|eot_id|>",)),
    Template.CHATML: (_chatml, ("<|im_end|>",)),
}
