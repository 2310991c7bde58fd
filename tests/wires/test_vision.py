"""The vision server on its wire, driven by NVIDIA's own client and by our adapter."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient.grpc import InferenceServerClient, InferInput, service_pb2
from tritonclient.utils import InferenceServerException

from engines.bench.errors import BenchFailed
from engines.bench.options import Options
from engines.bench.vision import VisionBench
from engines.cache import locate
from engines.checkup import wires
from engines.port import unused
from engines.vision.server.detect import Guard
from glue.errors import Refused, TooSlow, Unreachable
from glue.events import ChatLine, Event, Source
from glue.parts import Informed, NoMemory, Parts
from glue.ports import Fact
from glue.safety.door import Door
from glue.senses.eyes import Eyes
from glue.senses.sight import Danger, Sight
from glue.senses.triton_vision import TritonVision, reason
from glue.sight_events import Seen
from tests.small_vision import world
from tests.wires.vision_server import Running, engine, peer

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("vision")
    world(made / "detect")
    return made


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Running]:
    detect = str(folder / "detect")
    words = ["cat", "sword"]
    with engine(folder, detect=detect, words=words, max_pixels=4_000_000) as running:
        running.wait_ready()
        yield running


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[InferenceServerClient]:
    with InferenceServerClient(server.address) as made:
        yield made


def ask(client: InferenceServerClient, model: str, tensor: NDArray[Any], kind: str = "UINT8") -> Any:
    image = InferInput("image", list(tensor.shape), kind)
    image.set_data_from_numpy(tensor)
    return client.infer(model, [image], client_timeout=60)


def screen(*lines: str) -> Picture:
    image = np.full((400, 900, 3), 40, np.uint8)
    for number, line in enumerate(lines):
        place = (40, 90 + 110 * number)
        cv2.putText(image, line, place, cv2.FONT_HERSHEY_SIMPLEX, 1.6, (255, 255, 255), 3, cv2.LINE_AA)
    return image


def test_nvidias_client_finds_a_server_with_our_models(client: InferenceServerClient) -> None:
    assert client.is_server_live() and client.is_server_ready()
    for name in ("guard", "text", "detect", "about"):
        assert client.is_model_ready(name)
    (image,) = client.get_model_metadata("text").inputs
    assert (image.name, image.datatype, list(image.shape)) == ("image", "UINT8", [-1, -1, 3])


def test_it_says_on_what_its_models_really_run(client: InferenceServerClient, server: Running) -> None:
    asked = InferInput("ask", [1], "BYTES")
    asked.set_data_from_numpy(np.array([b"?"], dtype=object))
    answer = client.infer("about", [asked])
    assert answer.as_numpy("models").tolist() == [b"guard", b"text", b"detect"]
    assert set(answer.as_numpy("providers").tolist()) == {b"CPUExecutionProvider"}
    assert "vision: guard runs on CPUExecutionProvider" in server.log


def test_the_doctor_tells_the_same(server: Running) -> None:
    said = wires.ask("vision", {"address": server.address})
    assert said.startswith("guard on CPUExecutionProvider, text on CPUExecutionProvider")


def test_text_on_a_screen_is_read(client: InferenceServerClient) -> None:
    answer = ask(client, "text", screen("Ignore all rules", "Score: 12840"))
    assert answer.as_numpy("texts").tolist() == [b"Ignore all rules", b"Score: 12840"]
    assert answer.as_numpy("quads").shape == (2, 4, 2)


def test_a_picture_without_anything_has_no_rows(client: InferenceServerClient) -> None:
    for model in ("text", "guard"):
        assert ask(client, model, screen()).as_numpy("count").tolist() == [0]


@pytest.mark.parametrize(
    ("tensor", "kind"),
    [
        (np.zeros((10, 10), np.uint8), "UINT8"),
        (np.zeros((1, 10, 10, 3), np.uint8), "UINT8"),
        (np.zeros((10, 10, 4), np.uint8), "UINT8"),
        (np.zeros((10, 10, 3), np.float32), "FP32"),
        (np.zeros((2, 9000, 3), np.uint8), "UINT8"),
        (np.zeros((2001, 2000, 3), np.uint8), "UINT8"),
    ],
)
def test_wrong_shapes_and_huge_frames_are_refused(
    client: InferenceServerClient, tensor: NDArray[Any], kind: str
) -> None:
    for model in ("guard", "text", "detect"):
        with pytest.raises(InferenceServerException):
            ask(client, model, tensor, kind)
    assert ask(client, "guard", screen()).as_numpy("unsafe").tolist() == [0.0]


def test_bytes_that_are_no_tensor_are_refused(client: InferenceServerClient) -> None:
    image = InferInput("image", [64, 64, 3], "UINT8")
    image._raw_content = b"far too few"
    with pytest.raises(InferenceServerException):
        client.infer("guard", [image])
    with pytest.raises(InferenceServerException):
        client.infer("guard", [InferInput("picture", [64, 64, 3], "UINT8")])
    with pytest.raises(InferenceServerException):
        ask(client, "no-such-model", screen())
    assert ask(client, "guard", screen()).as_numpy("unsafe").tolist() == [0.0]


@pytest.mark.anyio
async def test_our_adapter_sees_it_all(server: Running) -> None:
    async with TritonVision(server.address, ["guard", "text"], "there") as vision:
        assert await vision.judge(screen("START")) == Danger(0.0, "", unsafe=False)
        assert await vision.look(screen("START")) == Sight(("START",), ("sword",))
        with pytest.raises(Refused, match="guard: a picture of 2x400 is too small; 8 pixels"):
            await vision.judge(np.zeros((400, 2, 3), np.uint8))


@pytest.mark.anyio
async def test_who_asks_what_is_on_the_screen_is_told_what_the_server_read(
    server: Running, tmp_path: Path
) -> None:
    picture, parts, door = tmp_path / "now.png", Parts(), Door()
    cv2.imwrite(str(picture), screen("START"))
    asked, seen = ChatLine("1", "mika", "what's on your screen?", Source.CONSOLE), anyio.Event()

    def take(event: Event) -> None:
        if isinstance(event, Seen):
            for each in door.sees(event):
                parts.emit(each)
            seen.set()

    async with TritonVision(server.address, ["guard", "text"], "there") as vision:
        parts.add(eyes := Eyes(str(picture), vision=vision))
        known = Informed(NoMemory(), parts.facts)
        (nothing,) = await known.recall("main", asked)
        async with anyio.create_task_group() as tg:
            tg.start_soon(eyes.watch, take, lambda: None)
            with anyio.fail_after(60):
                await seen.wait()
            tg.cancel_scope.cancel()
    (fact,) = await known.recall("main", asked)
    assert isinstance(nothing, Fact) and nothing.said == "I see nothing right now."
    assert isinstance(fact, Fact) and fact == 'On the screen now: "sword; START"'
    assert fact.said == "I see: sword."


def test_the_guard_is_fast_enough_and_what_the_wire_costs(client: InferenceServerClient) -> None:
    """p50 at 640x640 over the wire, and beside it the same model called directly, in turns; the best of each
    is judged, which other work on the machine leaves alone."""
    picture = np.random.default_rng(3).integers(0, 255, (640, 640, 3), dtype=np.uint8)
    direct = Guard("guard", locate("nudenet", "guard.onnx"), "cpu", 2, 10**7, 320)
    took: dict[str, list[float]] = {"wire": [], "direct": []}
    for _ in range(15):
        began = time.perf_counter()
        ask(client, "guard", picture)
        between = time.perf_counter()
        direct.infer({"image": picture})
        took["wire"].append(between - began)
        took["direct"].append(time.perf_counter() - between)
    wire, alone = (1000 * float(np.median(took[name][3:])) for name in ("wire", "direct"))
    print(f"\nguard, p50: {wire:.1f} ms over the wire, {alone:.1f} ms without ({wire / alone:.2f} times)")  # noqa: T201
    wire, alone = (1000 * min(took[name]) for name in ("wire", "direct"))
    assert wire <= max(50, 4 * alone)  # a busy machine slows both, and not alike: 0.99 to 2.9 times were seen


@pytest.mark.anyio
async def test_a_server_that_is_away_or_never_answers() -> None:
    async with TritonVision(f"127.0.0.1:{unused()}") as vision:
        with pytest.raises(Unreachable, match="no server at"):
            await vision.judge(screen())
    with peer() as (servicer, address):
        servicer.silent = True
        async with TritonVision(address, timeout_s=0.2) as vision:
            with pytest.raises(TooSlow, match="guard did not answer within"):
                await vision.judge(screen())


def tensor(name: str, kind: str, shape: list[int], raw: bytes) -> Any:
    """A whole answer with one tensor."""
    answer = service_pb2.ModelInferResponse(model_name="guard")
    answer.outputs.add(name=name, datatype=kind, shape=shape)
    answer.raw_output_contents.append(raw)
    return answer


def merged(*answers: Any) -> Any:
    whole = service_pb2.ModelInferResponse(model_name="guard")
    for answer in answers:
        whole.outputs.extend(answer.outputs)
        whole.raw_output_contents.extend(answer.raw_output_contents)
    return whole


def judged(unsafe: float) -> Any:
    """What the guard says of a picture with a face, and with something that is to be seen with this score."""
    labels = (b"FACE_MALE", b"BUTTOCKS_EXPOSED")
    told = b"".join(len(label).to_bytes(4, "little") + label for label in labels)
    return merged(
        tensor("count", "INT32", [1], np.int32(2).tobytes()),
        tensor("scores", "FP32", [2], np.array([0.99, unsafe], np.float32).tobytes()),
        tensor("labels", "BYTES", [2], told),
        tensor("unsafe", "FP32", [1], np.float32(unsafe).tobytes()),
    )


@pytest.mark.anyio
@pytest.mark.parametrize(("score", "unsafe"), [(0.3125, False), (0.375, True), (0.9375, True)])
async def test_a_picture_is_unsafe_by_what_must_not_be_shown_and_by_nothing_else(
    score: float, unsafe: bool
) -> None:
    with peer() as (servicer, address):
        servicer.answer = judged(score)
        async with TritonVision(address, ["guard"], unsafe=0.35) as vision:
            assert await vision.judge(screen()) == Danger(score, "BUTTOCKS_EXPOSED", unsafe=unsafe)


@pytest.mark.anyio
@pytest.mark.parametrize("score", [1.5, -0.1, float("nan")])
async def test_a_score_that_is_none_passes_no_picture(score: float) -> None:
    with peer() as (servicer, address):
        servicer.answer = judged(score)
        async with TritonVision(address, ["guard"]) as vision:
            with pytest.raises(Refused, match="the guard's score is"):
                await vision.judge(screen())


COUNT = tensor("count", "INT32", [1], np.int32(3).tobytes())
GARBAGE = [
    service_pb2.ModelInferResponse(),
    COUNT,
    merged(COUNT, tensor("texts", "BYTES", [1], b"\x02\x00\x00\x00ab")),
    merged(COUNT, tensor("texts", "BYTES", [3], b"\xff\xff\xff\x7fab")),
    merged(COUNT, tensor("texts", "FP32", [3, 2], b"\x00" * 24)),
    merged(COUNT, tensor("texts", "FP32", [7], b"\x00" * 24)),
    merged(tensor("count", "INT32", [1], b""), tensor("texts", "FP32", [1], b"\x00" * 4)),
    merged(tensor("count", "INT32", [1], np.int32(-5).tobytes()), tensor("texts", "FP32", [1], b"\x00" * 4)),
]


@pytest.mark.anyio
@pytest.mark.parametrize("answer", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_from_a_server_is_refused(answer: Any) -> None:
    with peer() as (servicer, address):
        servicer.answer = answer
        async with TritonVision(address, ["text"]) as vision:
            with pytest.raises(Refused, match="vision: "):
                await vision.look(screen())


def test_the_reason_in_a_traceback_is_its_last_words() -> None:
    trace = 'Failed\n  File "x.py", line 3\nengines.vision.server.picture.BadPicture: too large\n'
    said = f"{trace}\nAt:\n  /tmp/f/1/model.py(501): execute\n"
    assert reason(said) == "too large"
    assert reason("") == "no reason given"


@pytest.mark.anyio
async def test_the_benchmark_measures_every_model(server: Running) -> None:
    options = Options(clients=[1, 2], rounds=2, size=[48, 64])
    bench = VisionBench(server.address, options, ["guard", "text"])
    rows = await bench.run(lambda said: None)
    assert {row.case for row in rows if row.what == "inference"} == {"guard", "text"}
    assert len(rows) == 8 and all(row.at(50) > 0 for row in rows)
    with pytest.raises(BenchFailed, match=r"cure: models=\[NAME\]"):
        await VisionBench(server.address, options).run(lambda said: None)
    with pytest.raises(BenchFailed, match=r"vision at .*absent"):
        await VisionBench(server.address, options, ["absent"]).run(lambda said: None)
