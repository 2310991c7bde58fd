"""The OpenAI wire's dialects: what a server is asked for one prompt, as a path and a body."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from glue.errors import Refused
from glue.mind.template import Template, render
from glue.ports import Prompt, Role

PART = "llm"
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
OPENAI = frozenset({"top_p", "presence_penalty", "frequency_penalty"})
OURS = OPENAI | {"top_k", "min_p", "repetition_penalty"}  # trtllm-serve and vLLM
RENAMED = {"repeat_penalty": "repetition_penalty"}  # llama.cpp's word for the others' word


class Extensions(StrEnum):
    """What the server understands beyond OpenAI's own."""

    LLAMACPP = "llamacpp"  # slots, prefill progress, tokenize, adapters by number
    TRTLLM = "trtllm"  # trtllm-serve: adapters by path; refuses every field that it does not know
    VLLM = "vllm"  # adapters by model name, continues a last message
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: where, and what."""

    path: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Server:
    """What the config knows of a server. Every mapping is by character; "background" is that lane."""

    extensions: Extensions
    models: Mapping[str, str] = field(default_factory=dict)  # "default" for the rest
    slots: Mapping[str, int] = field(default_factory=dict)
    # paths on the server, in the order it loads them
    adapters: Mapping[str, str] = field(default_factory=dict)
    template: Template = Template.NONE

    def model(self, who: str) -> str:
        """The model's name for `who`."""
        return self.models.get(who, self.models.get("default", "default"))

    def loaded(self) -> list[str]:
        """The adapters' paths, as a server on this machine lists them."""
        return [str(Path(path).expanduser()) for path in self.adapters.values()]

    @property
    def continues(self) -> bool:
        """Whether it can go on with an answer whose first words are given."""
        if self.extensions is Extensions.TRTLLM:
            return self.template is not Template.NONE
        return self.extensions is not Extensions.NONE

    def request(self, prompt: Prompt, role: Role) -> Request:
        """`prompt` in this server's dialect. Raises Refused for an opening that it cannot continue."""
        if prompt.opening and not self.continues:
            cure = (
                "llm.adapter.template" if self.extensions is Extensions.TRTLLM else "llm.adapter.extensions"
            )
            raise Refused(PART, f"this server cannot continue an answer that has begun; cure: {cure}")
        return DIALECTS[self.extensions](self, prompt, self.lane(prompt.who, role))

    def lane(self, who: str, role: Role) -> str:
        """Whose slot and adapter a request has. A game has those of "act", where the config has a slot for
        it: in the background's own it would lose its prefix to every summary."""
        if role is Role.SPEECH:
            return who
        plays = role is not Role.BACKGROUND and "act" in self.slots
        return "act" if plays else Role.BACKGROUND.value


def adapter_id(path: str) -> int:
    """A number for an adapter: trtllm-serve keeps adapters by it, so it follows from nothing but the path
    and stays the same when the cast changes. 31 bits, never 0."""
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "big") % (2**31 - 1) + 1


def _llamacpp(server: Server, prompt: Prompt, who: str) -> Request:
    """A last message of the assistant's is continued.

    The server does so unasked, but some of its versions then say the opening again. It tells a token's number
    beside its probability. That among the few left after sampling costs nothing; that among all of them
    sorts the vocabulary for each token."""
    body = _body(server, prompt, who, dict(prompt.sampling)) | {"messages": _messages(prompt, prompt.opening)}
    if prompt.opening:
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    body |= {"id_slot": server.slots.get(who, 0), "cache_prompt": True, "return_progress": True}
    if prompt.tell_ids:
        body |= {"n_probs": 1, "post_sampling_probs": True}
    if server.adapters:  # without this field all of them would apply, as they do at the server's start
        chosen = [number for number, name in enumerate(server.adapters) if name == who]
        body["lora"] = [{"id": number, "scale": 1.0} for number in chosen] or [{"id": 0, "scale": 0.0}]
    return Request(CHAT, body)


def _trtllm(server: Server, prompt: Prompt, who: str) -> Request:
    """With a template of ours everything is a completion, so that an answer with an opening and one without
    have the same prefix, byte for byte.

    An opening goes as text: trtllm-serve gives token ids only in place of the text (`detokenize: false`),
    and takes them only for a whole prompt. With the bundle's tokenizer here, the opening's text would become
    what the server's own makes of it; only the small model's very tokens would be more, and asked for those
    it gives no text, so that each of its words would have to be put together here, too."""
    body = _body(server, prompt, who, _known(prompt.sampling, OURS))
    if path := server.adapters.get(who):
        name = PurePosixPath(path).name
        body["lora_request"] = {"lora_name": name, "lora_int_id": adapter_id(path), "lora_path": path}
    if server.template is Template.NONE:
        return Request(CHAT, body | {"messages": _messages(prompt)})
    rendered = render(server.template, prompt.messages, prompt.opening)
    body |= {"prompt": rendered.text, "add_special_tokens": False, "stop": [*prompt.stop, *rendered.stop]}
    return Request(COMPLETIONS, body)


def _vllm(server: Server, prompt: Prompt, who: str) -> Request:
    body = _body(server, prompt, who, _known(prompt.sampling, OURS))
    body["messages"] = _messages(prompt, prompt.opening)
    if prompt.opening:
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    return Request(CHAT, body)


def _openai(server: Server, prompt: Prompt, who: str) -> Request:
    body = _body(server, prompt, who, _known(prompt.sampling, OPENAI))
    return Request(CHAT, body | {"messages": _messages(prompt)})


DIALECTS: Mapping[Extensions, Callable[[Server, Prompt, str], Request]] = {
    Extensions.LLAMACPP: _llamacpp,
    Extensions.TRTLLM: _trtllm,
    Extensions.VLLM: _vllm,
    Extensions.NONE: _openai,
}


def _body(server: Server, prompt: Prompt, who: str, sampling: Mapping[str, Any]) -> dict[str, Any]:
    """What all of them understand."""
    body: dict[str, Any] = {
        "model": server.model(who),
        "max_tokens": prompt.max_tokens,
        "temperature": prompt.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
        **sampling,
    }
    if prompt.schema is not None:
        body["response_format"] = _constraint(prompt.schema)
    if prompt.stop:
        body["stop"] = list(prompt.stop)
    if prompt.seed is not None:
        body["seed"] = prompt.seed
    return body


def _constraint(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The answer has to follow `schema`; trtllm-serve needs guided_decoding_backend in its serve config."""
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": dict(schema), "strict": True}}


def _messages(prompt: Prompt, opening: str = "") -> list[dict[str, str]]:
    said = [{"role": each.role, "content": each.content} for each in prompt.messages]
    return [*said, {"role": "assistant", "content": opening.strip()}] if opening else said


def _known(sampling: Mapping[str, Any], words: frozenset[str]) -> dict[str, Any]:
    """The sampling words that a server knows, by its names for them; others it might refuse."""
    renamed = {RENAMED.get(word, word): value for word, value in sampling.items()}
    return {word: value for word, value in renamed.items() if word in words}
