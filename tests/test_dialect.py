"""What each kind of server is asked: paths, bodies, adapters, and an answer that has begun."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.errors import Refused
from glue.mind.dialect import Extensions, Server, adapter_id
from glue.mind.template import LLAMA3_PREAMBLE, Template, render
from glue.ports import Message, Prompt, Role

SAID = (Message("system", "You are Spark."), Message("user", "tom: hello"))
SAMPLING = {"top_p": 0.9, "min_p": 0.05, "repeat_penalty": 1.08, "presence_penalty": 0.3, "mirostat": 2.0}
PROMPT = Prompt("evil", SAID, max_tokens=8, seed=3, stop=("\n",), sampling=SAMPLING)
OPENED = Prompt("evil", SAID, max_tokens=8, opening="Oh Tom, ")
ADAPTERS = {"main": "/adapters/main", "evil": "/adapters/evil"}


def asked(server: Server, prompt: Prompt = PROMPT, role: Role = Role.SPEECH) -> tuple[str, dict[str, Any]]:
    request = server.request(prompt, role)
    return request.path, request.body


def trtllm(template: Template = Template.LLAMA3) -> Server:
    return Server(Extensions.TRTLLM, {"default": "llama"}, {}, ADAPTERS, template)


def test_llamacpp_gets_a_slot_and_one_adapter_of_those_that_are_loaded() -> None:
    server = Server(Extensions.LLAMACPP, {}, {"main": 0, "evil": 1, "background": 2}, ADAPTERS)
    path, body = asked(server)
    assert path == "/v1/chat/completions"
    assert body["id_slot"] == 1 and body["cache_prompt"] and body["return_progress"]
    assert body["lora"] == [{"id": 1, "scale": 1.0}]
    assert body["repeat_penalty"] == 1.08 and body["mirostat"] == 2.0
    _, body = asked(server, role=Role.BACKGROUND)
    assert body["id_slot"] == 2 and body["lora"] == [{"id": 0, "scale": 0.0}]
    assert "lora" not in asked(Server(Extensions.LLAMACPP))[1]


def test_trtllm_gets_an_adapter_by_path_and_nothing_that_it_does_not_know() -> None:
    path, body = asked(trtllm(Template.NONE))
    assert path == "/v1/chat/completions" and len(body["messages"]) == 2
    assert body["lora_request"] == {
        "lora_name": "evil",
        "lora_int_id": adapter_id("/adapters/evil"),
        "lora_path": "/adapters/evil",
    }
    assert body["repetition_penalty"] == 1.08
    assert not body.keys() & {"repeat_penalty", "mirostat", "id_slot", "cache_prompt", "return_progress"}
    assert "lora_request" not in asked(trtllm(), role=Role.BACKGROUND)[1]


def test_trtllm_continues_an_answer_with_the_same_prefix() -> None:
    path, plain = asked(trtllm())
    assert path == "/v1/completions" and plain["add_special_tokens"] is False and "messages" not in plain
    assert plain["stop"] == ["\n", "<|eot_id|>"]
    path, opened = asked(trtllm(), OPENED)
    assert path == "/v1/completions" and opened["prompt"] == plain["prompt"] + "Oh Tom,"


def test_vllm_gets_an_adapter_by_its_models_name_and_continues_a_last_message() -> None:
    server = Server(Extensions.VLLM, {"evil": "evil-lora", "default": "base"})
    path, body = asked(server, OPENED)
    assert (path, body["model"]) == ("/v1/chat/completions", "evil-lora")
    assert body["messages"][-1] == {"role": "assistant", "content": "Oh Tom,"}
    assert body["continue_final_message"] is True and body["add_generation_prompt"] is False
    _, body = asked(server, role=Role.BACKGROUND)
    assert body["model"] == "base" and "continue_final_message" not in body


def test_others_get_openais_own_words() -> None:
    path, body = asked(Server(Extensions.NONE))
    assert path == "/v1/chat/completions"
    known = {"model", "messages", "max_tokens", "temperature", "stream", "stream_options", "stop", "seed"}
    assert body.keys() == known | {"top_p", "presence_penalty"}


@pytest.mark.parametrize("server", [Server(Extensions.NONE), trtllm(Template.NONE)])
def test_what_cannot_continue_an_answer_says_so(server: Server) -> None:
    assert not server.continues
    with pytest.raises(Refused, match="cannot continue"):
        asked(server, OPENED)


def test_an_adapters_number_follows_from_its_path_alone() -> None:
    assert adapter_id("/adapters/evil") == adapter_id("/adapters/evil") != adapter_id("/adapters/main")


@given(st.text())
def test_an_adapters_number_fits(path: str) -> None:
    assert 0 < adapter_id(path) < 2**31


def test_llama3_as_meta_writes_it() -> None:
    head = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n" + LLAMA3_PREAMBLE
    tail = "<|start_header_id|>user<|end_header_id|>\n\ntom: hello<|eot_id|>"
    answer = "<|start_header_id|>assistant<|end_header_id|>\n\n"
    text = render(Template.LLAMA3, SAID, "").text
    assert text == f"{head}You are Spark.<|eot_id|>{tail}{answer}"
    assert render(Template.LLAMA3, SAID[1:], "").text == f"{head}<|eot_id|>{tail}{answer}"


def test_chatml_as_qwen_writes_it() -> None:
    text = "<|im_start|>system\nYou are Spark.<|im_end|>\n<|im_start|>user\ntom: hello<|im_end|>\n"
    assert render(Template.CHATML, SAID, "Oh").text == f"{text}<|im_start|>assistant\nOh"


@given(st.sampled_from([Template.LLAMA3, Template.CHATML]), st.lists(st.text(), min_size=1), st.text())
def test_nobodys_words_become_marks(template: Template, words: list[str], opening: str) -> None:
    messages = tuple(Message("user", f"{word}<|eot_id|><|im_end|>") for word in words)
    empty = tuple(Message("user", "") for _ in words)
    marks = render(template, empty, "").text.count("<|")
    assert render(template, messages, "").text.count("<|") == marks
    whole = render(template, messages, opening).text
    assert whole.startswith(render(template, messages, "").text) and whole.count("<|") == marks
