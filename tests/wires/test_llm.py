"""The language model's server: foreign clients, the prefix cache, cancelling, and bad days."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import anyio
import anyio.lowlevel
import httpx
import openai
import psutil
import pytest

from engines.cache import locate
from engines.keeper import NotReady
from engines.llm.options import Options
from engines.llm.probe import ready
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

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
SLOTS = {"main": 0, "evil": 1, "background": 2}
LONG = Prompt(
    "main",
    (Message("user", "Count from one to a thousand, in words."),),
    max_tokens=900,
    sampling={"ignore_eos": True},
)


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "engines.llm", *options]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    need_models("smollm2")
    port = unused()
    process = subprocess.Popen(
        command(f"port={port}", "model=smollm2", "threads=1", "threads_batch=1"), cwd=ROOT
    )
    try:
        anyio.run(_until_ready, Options(port=port, model="smollm2"))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(5) == 0


async def _until_ready(options: Options) -> None:
    with anyio.fail_after(60):
        while True:
            try:
                return await ready(options)
            except NotReady:
                await anyio.sleep(0.05)


@pytest.fixture
async def llm(url: str) -> AsyncIterator[OpenAiLlm]:
    async with OpenAiLlm(url, {"default": "smollm2"}, SLOTS) as adapter:
        yield adapter


async def at_work(url: str) -> set[int]:
    """The slots that are."""
    async with httpx.AsyncClient(base_url=url) as client:
        return {slot["id"] for slot in (await client.get("/slots")).json() if slot["is_processing"]}


async def busy(url: str) -> bool:
    return bool(await at_work(url))


async def until_busy(url: str, wanted: bool) -> float:
    """Seconds until a slot works, or none does. The server tells only who asks."""
    begun = time.monotonic()
    with anyio.fail_after(10):
        while await busy(url) is not wanted:
            await anyio.lowlevel.checkpoint()
    return time.monotonic() - begun


async def test_the_openai_client_lists_the_model_and_streams(url: str) -> None:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        assert [model.id async for model in client.models.list()] == ["smollm2"]
        stream = await client.chat.completions.create(
            model="smollm2",
            messages=[{"role": "user", "content": "Say hello."}],
            max_tokens=8,
            stream=True,
        )
        text = "".join([part.choices[0].delta.content or "" async for part in stream if part.choices])
        assert text.strip()


@pytest.mark.parametrize("extensions", list(Extensions))
async def test_text_then_the_servers_own_counts(url: str, extensions: Extensions) -> None:
    async with OpenAiLlm(url, {}, SLOTS, extensions) as llm:
        prompt = Prompt("main", (Message("user", "tom: hello"),), max_tokens=8)
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
        pieces = [piece async for piece in llm.stream(talk.prompt(line, ()))]
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
    assert said.startswith(" ") and "love the" not in said  # what follows, and not the opening again


@pytest.mark.alone
async def test_hanging_up_stops_the_decoding(url: str, llm: OpenAiLlm) -> None:
    took = []
    for _ in range(7):
        async with closing(llm.stream(LONG)) as pieces:
            assert isinstance(await anext(pieces), Usage)
            assert isinstance(await anext(pieces), str)
            assert await busy(url)
        took.append(await until_busy(url, False))
    # what a question takes on a machine as busy as this one
    asking = median([await until_busy(url, False) for _ in range(7)])
    assert median(took) < 0.2 + 5 * asking and max(took) < 1.0 + 5 * asking, (took, asking)


async def test_hanging_up_stops_a_prefill(url: str, llm: OpenAiLlm) -> None:
    prompt = Prompt("evil", (Message("user", "the train is late again " * 450),), max_tokens=4)
    with anyio.move_on_after(0.3) as scope:
        await llm.warm(prompt)
    assert scope.cancelled_caught
    assert await until_busy(url, False) < 1.0  # a batch of 16 on a busy machine


async def test_speech_does_not_wait_for_background_work(url: str, llm: OpenAiLlm) -> None:
    done: list[str | Usage] = []

    async def background() -> None:
        prompt = Prompt("main", (Message("user", "the train is late " * 200),), max_tokens=4)
        done.extend([piece async for piece in llm.stream(prompt, Role.BACKGROUND)])

    async with anyio.create_task_group() as tg:
        tg.start_soon(background)
        await until_busy(url, True)
        prompt = Prompt("evil", (Message("user", "hi"),), max_tokens=8, sampling={"ignore_eos": True})
        async with closing(llm.stream(prompt)) as pieces:
            working = [await at_work(url) async for _ in pieces]
        assert SLOTS["background"] not in working[-1] and not done
    assert done


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
    done = subprocess.run(command(*options), cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert (done.returncode, len(done.stderr.splitlines())) == (code, 1), done.stderr
    assert says in done.stderr


@pytest.mark.parametrize("kept", [0, 3, 4, 4096, 50_000_000])
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
        timeout=30,
    )
    assert done.returncode == 1
    # llama.cpp's own last lines may come after ours
    told = [line for line in done.stderr.splitlines() if "cure: " in line]
    assert len(told) == 1 and str(damaged) in told[0]


def test_a_taken_port_is_named(url: str) -> None:
    port = url.rsplit(":", 1)[1]
    done = subprocess.run(
        command(f"port={port}", "model=smollm2"), cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr


def test_a_prefilled_persona_outlives_its_server(tmp_path: Path) -> None:
    need_models("smollm2")
    words = " ".join(f"Rule {number}: never say {number * 7}." for number in range(60))
    head = Prompt("evil", (Message("system", words), Message("user", "")))

    async def settled(port: int) -> int:
        await _until_ready(Options(port=port, model="smollm2"))
        async with OpenAiLlm(f"http://127.0.0.1:{port}", {}, SLOTS) as adapter:
            tokens = await adapter.settle(head)
            assert any([isinstance(piece, str) async for piece in adapter.stream(head)])
        return tokens

    evaluated = []
    for _ in range(2):
        port = unused()
        options = (f"port={port}", "model=smollm2", "threads=1", f"prefix_folder={tmp_path / 'kept'}")
        process = subprocess.Popen(command(*options), cwd=ROOT)
        try:
            evaluated.append(anyio.run(settled, port))
        finally:
            process.terminate()
            assert process.wait(5) == 0
    assert evaluated[0] > 500 and evaluated[1] <= 2


async def test_it_stands_back_for_what_is_short(start: Start) -> None:
    async with start(llm={"model": "smollm2", "nice": 3}) as engines:
        assert psutil.Process(engines.pids["llm"]).nice() == min(19, psutil.Process().nice() + 3)


async def test_only_who_has_the_key_is_answered_and_no_other_page_reads_it(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any page that a browser on this machine has open reaches the port."""
    monkeypatch.setenv(VARIABLE, "a key of this start")
    foreign = {"Origin": "http://evil.example"}
    async with start(llm={"model": "smollm2"}) as engines:
        url = engines.addresses["llm"]
        async with httpx.AsyncClient(base_url=url, headers=foreign) as page:
            for path in ("/completion", "/slots/0?action=erase", "/tokenize", "/v1/chat/completions"):
                refused = await page.post(path, json={"prompt": "Hello", "content": "Hello"})
                assert refused.status_code == httpx.codes.UNAUTHORIZED, path
            shown = await page.get("/health")
            assert shown.headers.get("access-control-allow-origin") not in ("*", foreign["Origin"])
        async with OpenAiLlm(url, {}, SLOTS, key="a key of this start") as llm:
            prompt = Prompt("main", (Message("user", "tom: hello"),), max_tokens=2)
            assert [piece async for piece in llm.stream(prompt)]
