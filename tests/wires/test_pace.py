"""The pacing proxy before the real server: never faster than stated, shared fairly, and gone when cut."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import openai
import pytest
from anyio.abc import SocketStream

from engines.pace.ledger import CLOCK_MS
from engines.port import unused
from glue import pace
from glue.closing import closing
from glue.errors import Refused
from glue.mind.openai_llm import OpenAiLlm
from glue.ports import Message, Prompt, Usage
from tests import bad_server
from tests.test_openai_llm import HEAD, Answer, sends, server
from tests.wires.llm_server import LONG, ROOT, SLOTS, SOON, patient, until_at_work
from tests.wires.paced import begin, until_paces

pytestmark = pytest.mark.anyio
CUT = HEAD.replace(b"Connection: close", b"Content-Length: 9999")
SHORT = (Message("user", "Count from one to a thousand, in words."),)


@pytest.fixture
async def llm(proxy: str) -> AsyncIterator[OpenAiLlm]:
    async with patient(f"{proxy}/main") as made:
        yield made


def prompt(who: str = "main", tokens: int = 10) -> Prompt:
    return Prompt(who, SHORT, max_tokens=tokens, temperature=0.0)


async def kept(proxy: str) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False) as client:
        return dict((await client.get(f"{proxy}/pace")).json())


async def last(proxy: str, route: str = "main") -> dict[str, Any]:
    report = await kept(proxy)
    assert report["faster"] == 0
    return dict(report["routes"][route]["answers"][-1])


async def test_the_openai_client_gets_the_engines_text_at_the_stated_pace(proxy: str, engine: str) -> None:
    texts = []
    for url in (engine, engine, f"{proxy}/main"):  # twice: behind what is cached its text may be another
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            began = time.monotonic()
            stream = await client.chat.completions.create(
                model="smollm2",
                messages=[{"role": "user", "content": SHORT[0].content}],
                max_tokens=12,
                temperature=0,
                stream=True,
                extra_body={"id_slot": SLOTS["main"]},
            )
            parts = [part async for part in stream]
            took = time.monotonic() - began
        assert not any(part.usage for part in parts)  # nothing that was not asked for
        texts.append("".join(part.choices[0].delta.content or "" for part in parts if part.choices))
    assert texts[1] == texts[2] != ""
    assert took >= 0.12 + 11 / 20
    answer = await last(proxy)
    # not by its rate behind the first token, which a stall makes late
    assert answer["tokens"] == 12 and answer["early_ms"] < CLOCK_MS


async def test_an_answer_in_one_piece_takes_as_long(proxy: str) -> None:
    async with httpx.AsyncClient(base_url=f"{proxy}/main", trust_env=False, timeout=60) as client:
        began = time.monotonic()
        body = {"prompt": "one two three", "max_tokens": 8, "temperature": 0}
        answer = (await client.post("/v1/completions", json=body)).json()
    tokens = answer["usage"]["completion_tokens"]
    assert time.monotonic() - began >= 0.12 + (tokens - 1) / 20
    assert (await last(proxy))["tokens"] == tokens


async def test_new_tokens_cost_their_prefill_and_cached_ones_nothing(proxy: str, llm: OpenAiLlm) -> None:
    long = Prompt("evil", (Message("system", "You are Spark. " * 80), *SHORT), max_tokens=1)
    new = await llm.warm(long)
    answer = await last(proxy)
    assert answer["new"] == new > 200
    assert answer["first"] >= new / 800 - 0.001
    await llm.warm(long)
    assert (await last(proxy))["new"] <= 1
    assert await llm.count("hello there") > 0


async def test_two_models_share_the_machine_until_one_hangs_up(
    proxy: str, engine: str, llm: OpenAiLlm
) -> None:
    more = list[int]()
    for _ in range(3):  # the machine may be at something else just then
        async with (
            patient(f"{proxy}/opener") as opener,
            closing(llm.stream(LONG)) as pieces,
        ):
            assert isinstance(await anext(pieces), Usage)
            assert isinstance(await anext(pieces), str)
            assert [piece async for piece in opener.stream(prompt("evil", 12))]
            before = (await until_at_work(engine, SLOTS["main"]))[SLOTS["main"]]
        more.append((await until_at_work(engine))[SLOTS["main"]] - before)
    assert min(more) < SOON, more
    small = await last(proxy, "opener")
    assert small["work"] == pytest.approx(small["last"] / 2, abs=0.001)
    assert small["early_ms"] < CLOCK_MS
    with anyio.fail_after(30):
        while not (await last(proxy))["cut"]:
            await anyio.lowlevel.checkpoint()


async def test_what_would_not_be_paced_is_refused(proxy: str) -> None:
    async with httpx.AsyncClient(base_url=proxy, trust_env=False) as client:
        for path, status, said in (
            ("/main/completion", 404, "would not be paced"),
            ("/other/v1/completions", 404, "no model 'other' here; there are: main, opener"),
            ("/main/v1/completions", 400, "no JSON object"),
        ):
            answer = await client.post(path, content=b"[]")
            assert answer.status_code == status and said in answer.json()["error"]["message"]
        assert (await client.get("/main/health")).json() == {"status": "ok"}
        wrong = await client.post("/main/v1/chat/completions", json={"messages": "none", "stream": True})
        assert wrong.status_code >= 400 and wrong.json()["error"]["message"]


BROKEN: list[tuple[Answer, str]] = [
    (sends(CUT, b'data: {"prompt_progress": {"total": 9, "cache": 0}}\n\n'), "does not answer"),
    (sends(HEAD, b"x" * 1_100_000), "endless event"),
    (sends(HEAD, b"data: " + b"[" * 50_000 + b"\n\n"), "JSON"),
    (sends(), "HTTP 502: the engine does not answer"),
]


async def test_an_engine_that_breaks_off_is_told_in_the_answer() -> None:
    """After the head as well: a second one would be an error of the proxy's, and the log a traceback."""
    port, broken = unused(), list[Answer]()

    async def answer(client: SocketStream) -> None:
        await broken[-1](client)

    async with (
        patient(f"http://127.0.0.1:{port}/main") as llm,
        server(answer) as upstream,
    ):
        process = begin(port, upstream)
        try:
            await until_paces(port)
            for way, said in BROKEN:
                broken.append(way)
                with pytest.raises(Refused, match=said):
                    async for _ in llm.stream(prompt()):
                        pass
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                    whole = await client.post("/main/v1/completions", json={"prompt": "Once"})
                assert whole.status_code == 502 and "does not answer" in whole.json()["error"]["message"]
        finally:
            process.terminate()
            _, log = process.communicate(timeout=20)
    assert "Traceback" not in log


async def test_it_ends_also_while_it_answers(engine: str) -> None:
    port = unused()
    process = begin(port, engine)
    try:
        await until_paces(port)
        async with patient(f"http://127.0.0.1:{port}/main") as llm:
            async with closing(llm.stream(LONG)) as pieces:  # which would take two minutes
                await anext(pieces)
                process.terminate()
                _, log = await anyio.to_thread.run_sync(lambda: process.communicate(timeout=30))
    finally:
        process.kill()
    assert process.returncode == 0 and len(log.splitlines()) == 1, log


def test_a_taken_port_is_one_line(proxy: str, engine: str) -> None:
    _, log = (process := begin(int(proxy.rsplit(":", 1)[1]), engine)).communicate(timeout=60)
    assert process.returncode == 1 and "is taken" in log and len(log.splitlines()) == 1


def check(address: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engines.pace.check", address]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_the_check_tells_what_was_kept(proxy: str) -> None:
    done = check(proxy)
    assert done.returncode == 0 and "main" in done.stdout and "20" in done.stdout
    with bad_server.serving("good") as other:  # a server, and not this one
        for address in (f"http://127.0.0.1:{unused()}", f"http://127.0.0.1:{other}", "http://[", "x"):
            done = check(address)
            assert done.returncode == 2 and done.stderr.count("\n") == 1 and "cure: " in done.stderr


async def test_the_check_fails_for_a_pace_that_was_too_fast() -> None:
    route = {"stated": {"model": "big", "decode": 20, "first_token_ms": 1}, "answers": []}
    route["kept"] = {"decode": 40, "first_token_ms": 1, "answers": 1, "behind_ms": 0, "shared_s": 0}
    body = json.dumps({"faster": 1, "routes": {"main": route}}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with server(sends(head + body)) as address:
        done = await anyio.to_thread.run_sync(check, address)
    assert done.returncode == 1 and "1 answers were faster" in done.stderr


async def test_a_show_hears_what_was_kept(
    proxy: str, llm: OpenAiLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "WITHIN", 60.0)
    assert [piece async for piece in llm.stream(prompt())]
    main, opener = await pace.kept(proxy)
    assert (main.model, main.stated, main.faster) == ("big", 20.0, 0)
    assert main.kept is not None and main.kept <= 20.1
    assert opener.model == "small"


async def test_a_proxy_that_is_gone_leaves_a_show_without_its_figures() -> None:
    with anyio.fail_after(60):
        assert await pace.kept(f"http://127.0.0.1:{unused()}") == []
