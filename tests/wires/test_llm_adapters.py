"""llama.cpp with two real adapters: the right one speaks, her prefix is kept, a switch costs nothing."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import httpx
import pytest

from engines.bench import options as bench
from engines.bench import weights
from engines.bench.errors import BenchFailed
from engines.bench.llm import LlmBench
from engines.bench.openai_wire import look
from engines.bench.roofline import roofs
from engines.bench.texts import Texts
from engines.cache import locate
from engines.port import unused
from glue.closing import closing
from glue.errors import Refused
from glue.mind.openai_llm import OpenAiLlm
from glue.ports import Message, Prompt, Role
from tests.need import need_models
from tests.wires import lora
from tests.wires.llm_server import ROOT, command, llama, patient

pytestmark = pytest.mark.anyio
CAST = ("main", "evil")
RULES = Message("system", "You are Spark, who streams live on her own channel. " * 12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("adapters")


@pytest.fixture(scope="module")
def adapters(folder: Path) -> dict[str, str]:
    need_models("smollm2")
    model = locate("smollm2", "model.gguf")
    return {who: str(lora.write(folder / f"{who}.gguf", model, seed)) for seed, who in enumerate(CAST)}


@pytest.fixture(scope="module")
def url(adapters: dict[str, str], folder: Path) -> Iterator[str]:
    with llama(adapters=adapters, prefix_folder=str(folder)) as address:
        yield address


def asked(who: str, line: str = "tom: what is your favourite train?") -> Prompt:
    return Prompt(who, (RULES, Message("user", line)), max_tokens=12, temperature=0.0)


@pytest.fixture
def another(adapters: dict[str, str], folder: Path, url: str) -> Iterator[str]:
    """A server that reads what `url` has kept."""
    with llama(adapters=adapters, prefix_folder=str(folder)) as address:
        yield address


async def said(llm: OpenAiLlm, prompt: Prompt, role: Role = Role.SPEECH) -> str:
    async with closing(llm.stream(prompt, role)) as pieces:
        return "".join([piece async for piece in pieces if isinstance(piece, str)])


async def alone(url: str, scales: dict[int, float]) -> str:
    """What the server itself says with its adapters set for everybody, and nothing from its cache."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        await client.post("/lora-adapters", json=[{"id": n, "scale": s} for n, s in scales.items()])
        messages = [{"role": m.role, "content": m.content} for m in asked("").messages]
        body = {
            "messages": messages,
            "max_tokens": 12,
            "temperature": 0.0,
            "cache_prompt": False,
            "id_slot": 2,
        }
        answer = await client.post("/v1/chat/completions", json=body)
        await client.post("/lora-adapters", json=[{"id": n, "scale": 0.0} for n in scales])
        return str(answer.json()["choices"][0]["message"]["content"])


async def test_the_right_one_is_applied(url: str, adapters: dict[str, str]) -> None:
    truth = {
        "background": await alone(url, {0: 0.0, 1: 0.0}),
        "main": await alone(url, {0: 1.0, 1: 0.0}),
        "evil": await alone(url, {0: 0.0, 1: 1.0}),
    }

    def likest(text: str) -> str:
        """Behind a prefix that is evaluated in other pieces a text may end a little differently."""
        return max(truth, key=lambda who: SequenceMatcher(None, truth[who], text).ratio())

    async with patient(url, adapters=adapters) as llm:
        for who in ("main", "evil", "main"):
            assert likest(await said(llm, asked(who))) == who
        assert likest(await said(llm, asked("main"), Role.BACKGROUND)) == "background"


async def test_alternating_personas_costs_nothing(url: str, adapters: dict[str, str]) -> None:
    async with patient(url, adapters=adapters) as llm:
        for who in CAST:
            await llm.warm(asked(who))
        for line, who in enumerate(CAST * 3):
            assert await llm.warm(asked(who, f"tom: and number {line}?")) < 16


async def first_token(llm: OpenAiLlm, prompt: Prompt) -> float:
    """Seconds until it is here; the rest is read as well."""
    began, came = time.perf_counter(), list[float]()
    async with closing(llm.stream(prompt)) as pieces:
        async for piece in pieces:
            if isinstance(piece, str):
                came.append(time.perf_counter() - began)
    return came[0]


async def test_a_switch_of_persona_keeps_nobody_waiting(url: str, adapters: dict[str, str]) -> None:
    switched, stayed = list[float](), list[float]()
    async with patient(url, adapters=adapters) as llm:
        await first_token(llm, asked("evil"))
        for line in range(12):  # main, main, evil, evil, and so on: of two every first is a switch
            who, took = CAST[line // 2 % 2], stayed if line % 2 else switched
            took.append(await first_token(llm, asked(who, f"tom: and number {line + 10}?")))
    told = [f"{1000 * min(each):.1f} ms" for each in (switched, stayed)]
    print("to the first token: switched {}, stayed {}".format(*told))  # noqa: T201 - figures to report
    assert min(switched) - min(stayed) < 0.02


async def test_her_prefix_outlives_the_server_with_her_adapter(
    url: str, adapters: dict[str, str], another: str
) -> None:
    async with patient(url, adapters=adapters) as llm:
        for who in CAST:
            assert await llm.settle(asked(who)) > 100
    async with patient(another, adapters=adapters) as llm:
        for who in CAST:
            assert await llm.settle(asked(who)) <= 2
            assert await said(llm, asked(who))


async def test_a_server_with_other_adapters_is_refused(url: str, adapters: dict[str, str]) -> None:
    turned = dict(reversed(adapters.items()))
    async with patient(url, adapters=turned) as llm:
        with pytest.raises(Refused, match="cure"):
            await llm.settle(asked("main"))


@pytest.mark.parametrize("content", [None, b"not a GGUF file"])
def test_an_adapter_that_is_none_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    need_models("smollm2")
    path = tmp_path / "evil.gguf"
    if content is not None:
        path.write_bytes(content)
    options = (f"port={unused()}", "model=smollm2", f"adapters={json.dumps({'evil': str(path)})}")
    done = subprocess.run(command(*options), cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert f"the adapter of evil, {path}" in done.stderr and "llm.engine.adapters.evil" in done.stderr


async def test_the_benchmark_measures_prefixes_and_switches(url: str) -> None:
    few = bench.Options(clients=[1, 2], rounds=1, prompts=[4, 16], tokens=6, bandwidth_gbs=40, tflops=0.1)
    server = await look(url, bench.Dialect.auto, "", {}, {})
    assert (server.dialect, server.model, server.slots) == (bench.Dialect.llamacpp, "smollm2", 3)
    assert [Path(path).stem for path in server.adapters] == list(CAST)
    found = LlmBench(server, few, Texts(7))
    rows = {(row.what, row.case): row.at(50) for row in await found.run(print) if row.clients == 1}
    assert rows["prompt from the cache", "prefix of 16 words, again"] > 60
    assert rows["decode", "new prompt, 16 words"] > 0
    assert {("first token", "same persona again"), ("first token", "persona switched")} < set(rows)
    for told in ("a switch of persona adds", "a cached prefix: ", "it has 3 slots"):
        assert any(told in note for note in found.notes())
    bounds, why = roofs(server, few, found.rows, print)
    assert not why and [each.what for each in bounds] == ["decode", "prefill"]
    assert all(each.share is not None and each.share > 0 for each in bounds)
    whole = weights.of(locate("smollm2", "model.gguf"))  # its embedding is its output layer: all is read
    assert server.weights == pytest.approx(whole.read, rel=0.001)
    assert server.parameters == pytest.approx(whole.parameters, rel=0.001)


async def test_the_benchmark_keeps_what_it_has_when_a_prompt_is_refused(url: str) -> None:
    server = await look(url, bench.Dialect.auto, "", {}, {})
    found = LlmBench(server, bench.Options(clients=[1], rounds=1, prompts=[9000]), Texts(8))
    with pytest.raises(BenchFailed, match="HTTP 400"):
        await found.run(print)
    assert [row.what for row in found.rows] == ["floor"]
