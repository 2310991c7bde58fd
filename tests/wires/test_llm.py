"""The language model's server: foreign clients, the prefix cache, cancelling, and bad days."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import anyio
import httpx
import openai
import psutil
import pytest

from engines.cache import ModelError, locate
from engines.llm.__main__ import model_file
from engines.llm_key import VARIABLE
from engines.port import unused
from glue.closing import closing
from glue.errors import Refused
from glue.events import ChatLine, Source
from glue.mind.openai_llm import Extensions, OpenAiLlm
from glue.mind.persona import Persona, Shot
from glue.mind.talk import Talk
from glue.ports import Message, Prompt, Role, Usage
from tests.conftest import Start
from tests.need import need_models
from tests.wires.llm_server import LONG, ROOT, SLOTS, SOON, command, patient, until_at_work

pytestmark = pytest.mark.anyio


@pytest.fixture
async def llm(engine: str) -> AsyncIterator[OpenAiLlm]:
    async with patient(engine) as made:
        yield made


async def test_the_openai_client_lists_the_model_and_streams(engine: str) -> None:
    async with openai.AsyncOpenAI(base_url=f"{engine}/v1", api_key="none", max_retries=0) as client:
        assert [model.id async for model in client.models.list()] == ["smollm2"]
        stream = await client.chat.completions.create(
            model="smollm2",
            messages=[{"role": "user", "content": "Say hello."}],
            max_tokens=8,
            temperature=0,
            stream=True,
        )
        text = "".join([part.choices[0].delta.content or "" async for part in stream if part.choices])
        assert text.strip()


@pytest.mark.parametrize("extensions", list(Extensions))
async def test_text_then_the_servers_own_counts(engine: str, extensions: Extensions) -> None:
    async with patient(engine, extensions=extensions) as llm:
        prompt = Prompt("main", (Message("user", "tom: hello"),), max_tokens=8, temperature=0.0)
        pieces = [piece async for piece in llm.stream(prompt)]
        assert all(isinstance(piece, str) for piece in pieces[1:-1])
        assert isinstance(pieces[-1], Usage)
        assert pieces[-1].prompt_tokens > 5
        assert 0 < pieces[-1].answer_tokens <= 8
        assert (await llm.count("hello there") > 0) is (extensions is Extensions.LLAMACPP)


async def test_a_chosen_line_costs_its_own_tokens_and_ten(llm: OpenAiLlm) -> None:
    shots = [Shot("mika", f"hello number {n}", "Mika, you are back, and I kept your seat.") for n in range(6)]
    talk = Talk("main", Persona("Spark", "b", "You are Spark.", ["Be brief."], shots, ["Muse."]), "v")
    assert await llm.warm(talk.prefix()) > 100
    for number, text in enumerate(["what is your favourite train?", "猫は好き？", "why", "a b c d e f g h"]):  # noqa: RUF001
        line = ChatLine(str(number), "tom", text, Source.CONSOLE)
        prompt = replace(talk.prompt(line, ()), max_tokens=12, temperature=0.0)
        pieces = [piece async for piece in llm.stream(prompt)]
        usage = pieces[-1]
        assert isinstance(usage, Usage)
        new = usage.prompt_tokens - usage.cached_tokens
        assert new <= await llm.count(f"{line.author}: {line.text}") + 10
        reply = "".join(piece for piece in pieces if isinstance(piece, str))
        talk.remember(line, reply, cut=False)
        await llm.warm(talk.prefix())


async def test_each_character_keeps_her_own_prefix(llm: OpenAiLlm) -> None:
    prompts = {
        who: Prompt(who, (Message("system", f"You are {who}. " * 40), Message("user", "")))
        for who in ("main", "evil")
    }
    for prompt in prompts.values():
        await llm.warm(prompt)
    background = Prompt("main", (Message("user", "Sum up: trains are late. " * 30),), max_tokens=4)
    assert [piece async for piece in llm.stream(background, Role.BACKGROUND)]
    for prompt in prompts.values():
        assert await llm.warm(prompt) <= 10


async def test_an_answer_is_continued_behind_its_cached_prefix(llm: OpenAiLlm) -> None:
    messages = (Message("system", "You are Spark. " * 30), Message("user", "tom: your favourite train?"))
    opening = "Oh Tom, I love the"
    begun = Prompt("main", messages, max_tokens=8, temperature=0.0, opening=opening)
    await llm.warm(replace(begun, opening=""))
    pieces = [piece async for piece in llm.stream(begun)]
    usage = pieces[-1]
    assert isinstance(usage, Usage)
    assert usage.prompt_tokens - usage.cached_tokens <= await llm.count(opening) + 1
    said = "".join(piece for piece in pieces if isinstance(piece, str))
    assert said.startswith(" ") and opening not in said  # what follows, and not the opening again


async def test_hanging_up_stops_the_decoding(engine: str, llm: OpenAiLlm) -> None:
    more = list[int]()
    for _ in range(3):  # the machine may be at something else just then
        async with closing(llm.stream(LONG)) as pieces:
            assert isinstance(await anext(pieces), Usage)
            assert isinstance(await anext(pieces), str)
            before = (await until_at_work(engine, SLOTS["main"]))[SLOTS["main"]]
        more.append((await until_at_work(engine))[SLOTS["main"]] - before)
    assert min(more) < SOON, more


async def test_hanging_up_stops_a_prefill(engine: str, llm: OpenAiLlm) -> None:
    prompt = Prompt("evil", (Message("user", "the train is late again " * 450),), max_tokens=4)
    async with anyio.create_task_group() as tg:
        tg.start_soon(llm.warm, prompt)
        await until_at_work(engine, SLOTS["evil"])
        tg.cancel_scope.cancel()
    assert (await until_at_work(engine))[SLOTS["evil"]] < 2000  # of the prompt's tokens


async def test_speech_does_not_wait_for_background_work(engine: str, llm: OpenAiLlm) -> None:
    done: list[str | Usage] = []

    async def background() -> None:
        prompt = Prompt("main", (Message("user", "the train is late again " * 450),), max_tokens=4)
        done.extend([piece async for piece in llm.stream(prompt, Role.BACKGROUND)])

    async with anyio.create_task_group() as tg:
        tg.start_soon(background)
        await until_at_work(engine, SLOTS["background"])
        async with closing(llm.stream(LONG)) as pieces:
            assert isinstance(await anext(pieces), Usage)
            await until_at_work(engine, SLOTS["main"])  # and not the background's
        assert not done
        tg.cancel_scope.cancel()


async def test_a_prompt_that_does_not_fit_is_refused_in_the_servers_words(llm: OpenAiLlm) -> None:
    prompt = Prompt("main", (Message("user", "word " * 9000),))
    with pytest.raises(Refused, match="context"):
        async for _ in llm.stream(prompt):
            pass


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["model=/nowhere/x.gguf"], 1, "there is no model at /nowhere/x.gguf; cure:"),
        (["model=no-such-model"], 1, "no-such-model"),
        (["slots=0"], 2, "slots"),
        (["host=0.0.0.0"], 2, "127.0.0.1"),
        (["prot=1"], 2, "no option 'prot'"),
    ],
)
def test_it_ends_at_once_with_one_line(options: list[str], code: int, says: str) -> None:
    done = subprocess.run(command(*options), cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, len(done.stderr.splitlines())) == (code, 1), done.stderr
    assert says in done.stderr


@pytest.mark.parametrize("kept", [0, 3])
def test_a_file_that_does_not_begin_as_a_model_is_none(tmp_path: Path, kept: int) -> None:
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(b"GGUF"[:kept])
    with pytest.raises(ModelError, match=r"damaged\.gguf is not a GGUF file; cure: "):
        model_file(str(damaged))


@pytest.mark.parametrize("kept", [3, 4, 50_000_000])
def test_a_damaged_model_is_named_with_the_cure(tmp_path: Path, kept: int) -> None:
    need_models("smollm2")
    damaged = tmp_path / "damaged.gguf"
    with locate("smollm2", "model.gguf").open("rb") as whole:
        damaged.write_bytes(whole.read(kept))
    done = subprocess.run(
        command(f"port={unused()}", f"model={damaged}"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    # llama.cpp's own last lines may come after ours
    told = [line for line in done.stderr.splitlines() if "cure: " in line]
    assert len(told) == 1 and str(damaged) in told[0]


def test_a_taken_port_is_named(engine: str) -> None:
    port = engine.rsplit(":", 1)[1]
    done = subprocess.run(
        command(f"port={port}", "model=smollm2"), cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr


async def test_it_stands_back_and_answers_only_who_has_the_key_and_no_other_page(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any page that a browser on this machine has open reaches the port."""
    monkeypatch.setenv(VARIABLE, "a key of this start")
    foreign = {"Origin": "http://evil.example"}
    async with start(llm={"model": "smollm2", "nice": 3}) as engines:
        url = engines.addresses["llm"]
        assert psutil.Process(engines.pids["llm"]).nice() == min(19, psutil.Process().nice() + 3)
        async with httpx.AsyncClient(base_url=url, headers=foreign) as page:
            for path in ("/completion", "/slots/0?action=erase", "/tokenize", "/v1/chat/completions"):
                refused = await page.post(path, json={"prompt": "Hello", "content": "Hello"})
                assert refused.status_code == httpx.codes.UNAUTHORIZED, path
            shown = await page.get("/health")
            assert shown.headers.get("access-control-allow-origin") not in ("*", foreign["Origin"])
        async with patient(url, key="a key of this start") as llm:
            prompt = Prompt("main", (Message("user", "tom: hello"),), max_tokens=2)
            assert [piece async for piece in llm.stream(prompt)]
