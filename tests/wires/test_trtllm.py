"""The TensorRT-LLM dialect against a strict peer; the foreign client shows that the peer is faithful."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import anyio
import httpx
import openai
import pytest

from glue.closing import closing
from glue.errors import PortError, Refused, TooSlow
from glue.mind.openai_llm import Extensions, OpenAiLlm
from glue.mind.template import Template
from glue.ports import Message, Prompt, Role, Usage
from tests.served import served
from tests.test_openai_llm import HEAD, Answer, sends, server
from tests.wires.trtllm_peer import application

pytestmark = pytest.mark.anyio
SAMPLING = {"top_p": 0.92, "min_p": 0.05, "repeat_penalty": 1.08, "presence_penalty": 0.3}
RULES = Message("system", "You are Spark, who streams live on her own channel. " * 20)


def prompt(who: str = "main", opening: str = "", tokens: int = 6) -> Prompt:
    messages = (RULES, Message("user", "tom: your favourite train?"))
    return Prompt(who, messages, tokens, stop=("\n",), seed=7, sampling=SAMPLING, opening=opening)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("adapters")
    for who in ("main", "evil"):
        (root / who).mkdir()
    return {who: str(root / who) for who in ("main", "evil")}


@pytest.fixture(scope="module")
def url(folders: dict[str, str]) -> Iterator[str]:
    with served(application([*folders.values()])) as address:
        yield address


@pytest.fixture
async def llm(url: str, folders: dict[str, str]) -> AsyncIterator[OpenAiLlm]:
    async with adapter(url, folders) as opened:
        yield opened


def adapter(
    url: str, folders: dict[str, str], template: Template = Template.LLAMA3, stall: float = 30.0
) -> OpenAiLlm:
    return OpenAiLlm(
        url,
        {"default": "peer"},
        {},
        Extensions.TRTLLM,
        first_token_s=30.0,
        stall_s=stall,
        adapters=folders,
        template=template,
    )


@pytest.fixture
async def foreign(url: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        yield client


async def said(llm: OpenAiLlm, asked: Prompt, role: Role = Role.SPEECH) -> tuple[str, Usage]:
    text, usage = "", Usage(0, 0, 0)
    async with closing(llm.stream(asked, role)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Usage):
                usage = piece
            else:
                text += piece
    return text, usage


async def test_the_openai_client_gets_chats_completions_and_an_adapter(
    foreign: openai.AsyncOpenAI, folders: dict[str, str]
) -> None:
    assert [model.id async for model in foreign.models.list()] == ["peer"]
    lora = {"lora_request": {"lora_name": "x", "lora_int_id": 99, "lora_path": folders["main"]}}
    hello: openai.types.chat.ChatCompletionUserMessageParam = {"role": "user", "content": "hello"}
    chat = await foreign.chat.completions.create(model="peer", messages=[hello], max_tokens=3)
    assert chat.choices[0].message.content == " base 0 1" and chat.usage and chat.usage.prompt_tokens > 3
    stream = await foreign.completions.create(model="peer", prompt="hello", max_tokens=3, stream=True)
    assert "".join([part.choices[0].text async for part in stream]) == " base 0 1"
    with pytest.raises(openai.BadRequestError, match="continue_final_message"):
        await foreign.chat.completions.create(
            model="peer", messages=[hello], extra_body={"continue_final_message": True}
        )
    with pytest.raises(openai.BadRequestError, match="does not exist"):
        wrong = {"lora_request": lora["lora_request"] | {"lora_path": "/nowhere"}}
        await foreign.chat.completions.create(model="peer", messages=[hello], extra_body=wrong)


@pytest.mark.parametrize("template", [Template.NONE, Template.LLAMA3])
async def test_each_character_speaks_with_her_own_adapter(
    url: str, folders: dict[str, str], template: Template
) -> None:
    async with adapter(url, folders, template) as llm:
        for who in ("main", "evil", "main"):
            text, usage = await said(llm, prompt(who))
            assert text.startswith(f" {who} 0") and usage.answer_tokens == 6
        text, _ = await said(llm, prompt("main"), Role.BACKGROUND)
        assert text.startswith(" base")


async def test_an_answer_is_continued_behind_its_cached_prefix(llm: OpenAiLlm) -> None:
    await llm.warm(prompt())
    opening = "Oh Tom, I love the"
    _, plain = await said(llm, prompt())
    _, opened = await said(llm, prompt(opening=opening))
    assert opened.prompt_tokens == plain.prompt_tokens + len(opening.split()) + 1  # the comma
    assert plain.prompt_tokens - plain.cached_tokens < 32
    assert opened.cached_tokens >= plain.cached_tokens > 200


@pytest.mark.parametrize("template", [Template.NONE, Template.LLAMA3])
async def test_an_answer_that_must_follow_a_schema_is_asked_for_as_documented(
    url: str, folders: dict[str, str], template: Template
) -> None:
    asked = Prompt("main", (RULES,), 3, schema={"type": "object", "properties": {"move": {"type": "string"}}})
    async with adapter(url, folders, template) as llm:
        assert (await said(llm, asked, Role.ACT))[0]


async def test_settling_warms_and_asks_for_no_more(llm: OpenAiLlm) -> None:
    asked = Prompt("evil", (Message("system", "Be dark. " * 60), Message("user", "")))
    assert await llm.settle(asked) > 100
    assert await llm.settle(asked) < 32
    assert await llm.count("hello there") == 0


async def test_hanging_up_is_noticed(url: str, llm: OpenAiLlm) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:

        async def active() -> int:
            return int((await client.get("/metrics")).json()[-1]["numActiveRequests"])

        async with closing(llm.stream(prompt(tokens=50_000))) as pieces:  # two minutes, at the peer's pace
            assert await anext(pieces) == " main"
            assert await active() == 1
        with anyio.fail_after(60):
            while await active():  # noqa: ASYNC110  (the peer tells nobody)
                await anyio.sleep(0.05)
        assert (await said(llm, prompt()))[0]  # and the connection is as good as before


async def test_an_adapter_that_is_not_there_is_refused_in_the_servers_words(url: str) -> None:
    async with adapter(url, {"main": "/nowhere/main"}) as llm:
        with pytest.raises(Refused, match="does not exist"):
            await said(llm, prompt())


@pytest.mark.parametrize(
    ("answer", "error", "why"),
    [
        (
            sends(
                b"HTTP/1.1 400 No\r\nContent-Length: 49\r\n\r\n"
                b'{"object":"error","message":"no such","code":400}'
            ),
            Refused,
            "HTTP 400: no such",
        ),
        (sends(HEAD, b'data: {"choices": [[], 3], "usage": []}\n\n', b"data: nope\n\n"), Refused, "JSON"),
        (sends(HEAD, b'data: {"choices":[{"text":"one"}]}\n\n', then_hang=True), TooSlow, "stalled"),
    ],
)
async def test_bad_days_are_named(answer: Answer, error: type[PortError], why: str) -> None:
    raised: PortError | None = None
    stall = 0.3 if error is TooSlow else 30.0
    async with server(answer) as address, adapter(address, {}, stall=stall) as llm:
        try:
            with anyio.fail_after(60):
                await said(llm, prompt())
        except PortError as found:
            raised = found
    assert isinstance(raised, error) and why in str(raised)
