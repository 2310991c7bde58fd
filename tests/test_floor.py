"""The bare loop against real engines, and what becomes of it when they are not there."""

from http.server import BaseHTTPRequestHandler

import anyio
import pytest

from engines.port import unused
from glue.closing import closing
from glue.errors import PortError
from glue.events import ChatLine, Source
from glue.floor import Asked, Floor, Recorder
from glue.measured_events import FloorMeasured
from glue.mind.dialect import Extensions, Server
from glue.mind.openai_llm import OpenAiLlm
from glue.mind.persona import Persona, Shot
from glue.mind.talk import Talk
from glue.ports import Prompt, Role, Usage
from tests.conftest import Start
from tests.core import SlowLlm
from tests.file_server import running

pytestmark = pytest.mark.anyio

PERSONA = Persona(
    name="Spark",
    voice="bright",
    prompt="You are Spark, a cheeky robot. " + "You answer in one short sentence. " * 12,
    rules=("Be kind.",),
    shots=(Shot("mika", "hi", "Hello Mika, nice hat!"),),
    topics=("Talk about trains.",),
    temperature=0.0,
)
RATE = 24000


def talk() -> Talk:
    return Talk("main", PERSONA, "Piper.joe.bright", seed=1)


def asking(text: str) -> Prompt:
    return talk().prompt(ChatLine("l1", "mika", text, Source.CONSOLE), ())


async def test_the_recorder_passes_on_and_remembers_what_was_warmed_before() -> None:
    llm = SlowLlm(first=0.0, each=0.0)
    recorder = Recorder(llm)
    assert recorder.asked("main") is None
    await recorder.warm(asking("before"))
    async with closing(recorder.stream(asking("hi"))) as pieces:
        assert [p async for p in pieces if isinstance(p, str)] == list(llm.words)
    await recorder.warm(asking("after"))
    recorder.stream(asking("summary"), Role.BACKGROUND)
    assert recorder.asked("main") == Asked(asking("hi"), asking("before"))
    assert await recorder.count("two words") == 2


async def test_the_same_request_of_the_same_servers(start: Start) -> None:
    """Twice the same question: the floor's slot is brought back to the prefix, so both evaluate the line."""
    async with start(llm={"model": "smollm2", "slots": 2}, speech={}) as engines:
        llm = OpenAiLlm(engines.addresses["llm"], {}, {"main": 0, "background": 1})
        recorder = Recorder(llm)
        async with (
            llm,
            Floor(
                recorder,
                {"main": talk()},
                engines.addresses["llm"],
                engines.addresses["speech"],
                RATE,
                in_slot_one,
            ) as floor,
        ):
            await recorder.warm(talk().prefix())
            usage = await asked(recorder, asking("What is a teapot, and who needs one?"))
            again = [await floor.measure("t1", "main", floor.asked("main")) for _ in range(2)]
        deaf = f"127.0.0.1:{unused()}"
        async with Floor(
            recorder, {"main": talk()}, engines.addresses["llm"], deaf, RATE, in_slot_one
        ) as floor:
            with pytest.raises(PortError), anyio.fail_after(30):
                await floor.measure("t1", "main", Asked(asking("Say hello."), None))
        for found in again:
            assert isinstance(found, FloorMeasured)
            assert 0 < found.llm_to_clause < found.to_audible
            assert found.llm_to_clause + found.tts_to_chunk <= found.to_audible + 1e-6
            assert abs(found.new_tokens - (usage.prompt_tokens - usage.cached_tokens)) <= 2


def in_slot_one(prompt: Prompt) -> tuple[str, dict[str, object]]:
    request = Server(Extensions.LLAMACPP, slots={"main": 1}).request(prompt, Role.SPEECH)
    return request.path, request.body


async def asked(recorder: Recorder, prompt: Prompt) -> Usage:
    usage = Usage(0, 0, 0)
    async with closing(recorder.stream(prompt)) as pieces:
        async for piece in pieces:
            usage = piece if isinstance(piece, Usage) else usage
    return usage


async def test_servers_that_are_gone_are_a_port_error() -> None:
    recorder = Recorder(SlowLlm())
    url, address = f"http://127.0.0.1:{unused()}", f"127.0.0.1:{unused()}"
    async with Floor(recorder, {"main": talk()}, url, address, RATE, in_slot_one) as floor:
        with pytest.raises(PortError), anyio.fail_after(10):
            await floor.measure("t1", "main", Asked(asking("hi"), None))


class Failing(BaseHTTPRequestHandler):
    """A server that fails in the middle of its answer."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b': ping\n\ndata:{"error": {"message": "out of memory"}}\n\n')

    def log_message(self, *words: object) -> None:
        pass


async def test_what_a_server_says_in_mid_answer_is_told() -> None:
    with running(Failing) as url:
        async with Floor(
            Recorder(SlowLlm()), {"main": talk()}, url, "127.0.0.1:1", RATE, in_slot_one
        ) as floor:
            with pytest.raises(PortError, match="out of memory"), anyio.fail_after(10):
                await floor.measure("t1", "main", Asked(asking("hi"), None))
