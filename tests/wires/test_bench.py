"""The benchmark against the Riva wire, the strict peer and Triton's wire; llama.cpp: test_llm_adapters.py."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tritonclient.grpc import service_pb2
from tritonclient.grpc.service_pb2_grpc import (
    GRPCInferenceServiceServicer,
    add_GRPCInferenceServiceServicer_to_server,
)

from engines.bench.asr import AsrBench
from engines.bench.errors import BenchFailed, Lacking
from engines.bench.llm import LlmBench
from engines.bench.openai_wire import look
from engines.bench.options import Dialect, Options
from engines.bench.roofline import roofs
from engines.bench.rows import Row
from engines.bench.sound import message
from engines.bench.texts import Texts
from engines.bench.tts import TtsBench
from engines.bench.vision import VisionBench
from tests.served import served
from tests.wires.listening import RATE, SECOND, synthesised
from tests.wires.trtllm_peer import application

pytestmark = pytest.mark.anyio
FEW = Options(clients=[1, 2], rounds=1, prompts=[12, 40], tokens=6, timeout_s=60)


def medians(rows: list[Row], clients: int = 1) -> dict[str, float]:
    """By "what: case"; every row has values, and its percentiles are in order."""
    assert all(row.values for row in rows)
    return {f"{row.what}: {row.case}": row.at(50) for row in rows if row.clients == clients}


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, str]:
    for who in ("main", "evil"):
        (tmp_path / who).mkdir()
    return {who: str(tmp_path / who) for who in ("main", "evil")}


@pytest.fixture
def peer(folders: dict[str, str]) -> Iterator[str]:
    with served(application([*folders.values()])) as address:
        yield address


async def test_a_strict_trtllm_server_takes_what_it_is_sent(peer: str, folders: dict[str, str]) -> None:
    server = await look(peer, Dialect.trtllm, "", folders, {})
    bench = LlmBench(server, FEW, Texts(7))
    rows = await bench.run(print)
    assert any("personas are LoRAs" in note for note in bench.notes())
    assert medians(rows)["decode: new prompt, 40 words"] > 0
    assert "does not tell" in roofs(server, FEW, rows, print)[1]


async def test_the_voice_and_the_ears_are_measured(piper: int, ears: int) -> None:
    options = Options(clients=[2], rounds=2, timeout_s=60)
    voice = f"127.0.0.1:{piper}"
    heard = message(synthesised(piper, SECOND), RATE, SECOND)
    rows = await TtsBench(voice, options).run(print)
    rows += await AsrBench(f"127.0.0.1:{ears}", options, [heard]).run(print)
    with pytest.raises(Lacking, match="the server has none on this wire"):
        await AsrBench(voice, options, [heard]).run(print)
    found = medians(rows, 2)
    assert min(found["first audio: a word or two"], found["real-time factor: two sentences"]) > 0
    assert found["final transcript: end of speech to the final"] > 0
    assert found["words heard wrong: end of speech to the final"] < 100
    assert {row.what for row in rows if row.part == "asr"} == {
        "final transcript",
        "words heard wrong",
        "floor",
    }


class Triton(GRPCInferenceServiceServicer):  # type: ignore[misc]  # generated without types
    """As Triton's documents say: an index, metadata, a config with an optional input, raw tensors."""

    asked: list[Any]

    def RepositoryIndex(self, request: Any, context: Any) -> Any:
        answer = service_pb2.RepositoryIndexResponse()
        answer.models.add(name="see", version="1", state="READY")
        answer.models.add(name="tell", version="1", state="READY")
        return answer

    def ModelMetadata(self, request: Any, context: Any) -> Any:
        answer = service_pb2.ModelMetadataResponse(name=request.name, platform="p")
        if request.name == "see":
            answer.inputs.add(name="image", datatype="FP32", shape=[-1, 3, -1, -1])
        answer.inputs.add(name="word", datatype="BYTES", shape=[1])
        return answer

    def ModelConfig(self, request: Any, context: Any) -> Any:
        answer = service_pb2.ModelConfigResponse()
        answer.config.input.add(name="word", optional=request.name == "see")
        return answer

    def ModelInfer(self, request: Any, context: Any) -> Any:
        if request.model_name != "see":
            context.abort(grpc.StatusCode.NOT_FOUND, f"unknown model {request.model_name}")
        (image,) = request.inputs
        assert list(image.shape) == [1, 3, 24, 32] and len(request.raw_input_contents[0]) == 3 * 24 * 32 * 4
        answer = service_pb2.ModelInferResponse(model_name="see")
        answer.outputs.add(name="out", datatype="FP32", shape=[1])
        return answer


@asynccontextmanager
async def triton() -> AsyncIterator[str]:
    server = grpc.server(ThreadPoolExecutor(4))
    add_GRPCInferenceServiceServicer_to_server(Triton(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait()


async def test_any_triton_s_pictures_are_made_from_its_metadata() -> None:
    async with triton() as address:
        bench = VisionBench(address, Options(clients=[2], rounds=3, size=[24, 32]))
        rows = await bench.run(print)
    assert [row.case for row in rows] == ["see", "wire alone: see's 0.0 MB, refused"]
    assert "see takes image [1, 3, 24, 32]" in bench.notes()


async def infer(request: Request) -> Response:
    """KServe v2 over HTTP with Triton's binary extension."""
    if request.path_params["name"] != "see":
        return JSONResponse({"error": "unknown model"}, 404)
    content, length = await request.body(), int(request.headers["inference-header-content-length"])
    (image,) = json.loads(content[:length])["inputs"]
    assert image["parameters"]["binary_data_size"] == len(content) - length == 24 * 32 * 3
    head = b'{"outputs": [{"name": "out", "datatype": "FP32", "shape": [1]}]}'
    return Response(head + bytes(4), headers={"Inference-Header-Content-Length": str(len(head))})


@pytest.fixture
def http_triton() -> Iterator[str]:
    async def index(request: Request) -> Response:
        return JSONResponse([{"name": "see", "state": "READY"}, {"name": "gone", "state": "UNAVAILABLE"}])

    async def metadata(request: Request) -> Response:
        slot = {"name": "image", "datatype": "UINT8", "shape": [-1, -1, 3]}
        return JSONResponse(
            {"name": "see", "inputs": [slot, {"name": "n", "datatype": "INT32", "shape": [1]}]}
        )

    async def config(request: Request) -> Response:
        return JSONResponse({"input": [{"name": "image"}, {"name": "n", "optional": True}]})

    routes = [
        Route("/v2/repository/index", index, methods=["POST"]),
        Route("/v2/models/{name}", metadata),
        Route("/v2/models/{name}/config", config),
        Route("/v2/models/{name}/infer", infer, methods=["POST"]),
    ]
    with served(Starlette(routes=routes)) as address:
        yield address


async def test_a_triton_over_http_is_measured(http_triton: str) -> None:
    rows = await VisionBench(http_triton, Options(clients=[1, 2], rounds=3, size=[24, 32])).run(print)
    assert [row.what for row in rows] == ["inference", "floor"] * 2
    with pytest.raises(BenchFailed, match="HTTP 404"):
        await VisionBench(http_triton, Options(rounds=1, size=[24, 32]), ["absent"]).run(print)
