"""The vision server's own mathematics: boxes, lines of text, CTC, captions; on files of the real shapes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from engines.cache import ModelError, locate
from engines.environment import Environment
from engines.options import OptionError, parse
from engines.vision.options import Options, models, prepare
from engines.vision.server.boxes import decode, iou, suppressed
from engines.vision.server.caption import Captioner, chosen
from engines.vision.server.detect import Detector, Guard
from engines.vision.server.lines import quads, reading_order, spelled, upright
from engines.vision.server.picture import BadPicture, picture, squared
from engines.vision.server.sessions import Unusable, session
from engines.vision.server.tensors import listed, words
from engines.vision.server.text import Reader
from engines.vision.server.world import World
from tests.need import need_models
from tests.small_vision import florence, head, world

FINITE = st.floats(-1000, 1000, width=32)
HEADS = arrays.arrays(
    np.float32,
    st.tuples(st.just(1), st.integers(5, 9), st.integers(0, 12)),
    elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
)


def grey(height: int = 480, width: int = 640) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 90, np.uint8)


def written(*lines: str) -> NDArray[np.uint8]:
    """A picture with lines of text."""
    image = grey(80 + 100 * len(lines), 900)
    for number, line in enumerate(lines):
        place = (40, 90 + 100 * number)
        cv2.putText(image, line, place, cv2.FONT_HERSHEY_SIMPLEX, 1.6, (255, 255, 255), 3, cv2.LINE_AA)
    return image


@given(HEADS, st.floats(0.01, 10), st.integers(1, 4000), st.integers(1, 4000))
def test_whatever_a_head_says_boxes_lie_in_the_picture(
    output: NDArray[np.float32], scale: float, width: int, height: int
) -> None:
    with np.errstate(all="ignore"):
        found = decode(output, scale, (width, height), 0.25, 0.45)
    assert len(found.boxes) == len(found.scores) == len(found.classes)
    assert np.all(found.boxes >= 0) and np.all(found.boxes[:, 2:] <= [width, height])
    assert np.all(found.boxes[:, :2] < found.boxes[:, 2:])
    assert np.all((found.scores >= 0.25) & (found.scores <= 1)) and np.all(np.diff(found.scores) <= 0)


@given(
    arrays.arrays(np.float32, (6, 4), elements=FINITE),
    arrays.arrays(np.float32, 6, elements=st.floats(0, 1, width=32)),
)
def test_no_two_boxes_of_a_class_that_stay_overlap(
    corners: NDArray[np.float32], scores: NDArray[np.float32]
) -> None:
    boxes = np.concatenate(
        [np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])], 1
    )
    classes = np.array([0, 0, 0, 1, 1, 1])
    kept = suppressed(boxes, scores, classes, 0.45)
    assert scores[kept][0] == scores.max()
    for place, one in enumerate(kept):
        others = [other for other in kept[place + 1 :] if classes[other] == classes[one]]
        assert np.all(iou(boxes[one], boxes[others]) <= 0.45) if others else True


def test_iou_is_what_it_says() -> None:
    one = np.array([0, 0, 10, 10], np.float32)
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [3, 3, 3, 3]], np.float32)
    assert iou(one, others) == pytest.approx([1, 1 / 3, 0, 0])


def test_a_head_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="anchors"):
        decode(np.zeros((4, 100), np.float32), 1, (10, 10), 0.25, 0.45)


def test_a_box_comes_back_in_the_pictures_pixels(tmp_path: Path) -> None:
    """640x480 goes into 64x64 a tenth as large: a box there is ten times as large here."""
    rows = np.array([[32, 32.5, 5], [24, 24, 5], [20, 20, 4], [10, 10, 4], [0.9, 0.8, 0.1], [0.1, 0.1, 0.3]])
    head(tmp_path / "model.onnx", rows.astype(np.float32), ["cat", "sword"])
    found = Detector("detect", tmp_path / "model.onnx", "cpu", 1, 10**6).infer({"image": grey()})
    assert found["labels"].tolist() == [b"cat", b"sword"]  # the second cat lies under the first
    assert found["boxes"] == pytest.approx(np.array([[220, 190, 420, 290], [30, 30, 70, 70]]))
    assert found["scores"] == pytest.approx([0.9, 0.3]) and found["count"].tolist() == [2]


def test_the_guard_tells_the_best_score_of_what_must_not_be_shown(tmp_path: Path) -> None:
    rows = np.array([[32, 10], [24, 10], [20, 5], [10, 5], [0.9, 0], [0, 0.6]], np.float32)
    head(tmp_path / "model.onnx", rows, ["FACE_MALE", "BUTTOCKS_EXPOSED"])
    guard = Guard("guard", tmp_path / "model.onnx", "cpu", 1, 10**6)
    assert guard.infer({"image": grey()})["unsafe"] == pytest.approx([0.6])
    assert guard.providers == ["CPUExecutionProvider"]


def test_labels_beside_a_file_win_and_their_number_is_checked(tmp_path: Path) -> None:
    rows = np.array([[32], [24], [20], [10], [0.9]], np.float32)
    head(tmp_path / "model.onnx", rows, ["cat"])
    (tmp_path / "labels.txt").write_text("dragon\nsword\n")
    with pytest.raises(ValueError, match="1 classes and 2 labels"):
        Detector("detect", tmp_path / "model.onnx", "cpu", 1, 10**6).infer({"image": grey()})
    (tmp_path / "labels.txt").write_text("dragon\n")
    found = Detector("detect", tmp_path / "model.onnx", "cpu", 1, 10**6).infer({"image": grey()})
    assert found["labels"].tolist() == [b"dragon"]


def test_a_world_finds_the_words_that_it_is_told(tmp_path: Path) -> None:
    world(tmp_path)
    found = World(tmp_path, ["cat", "sword"], "cpu", 1, 10**6).infer({"image": grey()})
    assert found["labels"].tolist() == [b"sword"]
    assert found["scores"] == pytest.approx([1 / (1 + np.exp(-4))])
    assert found["boxes"] == pytest.approx(np.array([[10, 20, 30, 40]]))


def test_a_world_says_what_it_lacks(tmp_path: Path) -> None:
    world(tmp_path)
    with pytest.raises(Unusable, match=r"names no classes; cure: .*words="):
        World(tmp_path, [], "cpu", 1, 10**6)
    (tmp_path / "text.onnx").unlink()
    with pytest.raises(Unusable, match=r"text\.onnx is missing; cure"):
        World(tmp_path, ["cat"], "cpu", 1, 10**6)
    head(tmp_path / "model.onnx", np.ones((5, 1), np.float32), ["cat"])
    with pytest.raises(Unusable, match="fixed vocabulary; cure"):
        World(tmp_path, ["sword"], "cpu", 1, 10**6)


VOCABULARY = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "gold": 5, "train": 6}


def test_a_caption_is_said_to_its_end(tmp_path: Path) -> None:
    florence(tmp_path, [4, 5, 6], VOCABULARY)
    captioner = Captioner(tmp_path, "cpu", 1, 10**6)
    assert captioner.infer({"image": grey()})["text"].tolist() == [b"a gold train"]
    asked = {"image": grey(), "task": np.array([b"<DETAILED_CAPTION>"], dtype=object)}
    assert captioner.infer(asked)["text"].tolist() == [b"a gold train"]
    with pytest.raises(ValueError, match="no task '<OD>'"):
        captioner.infer({"image": grey(), "task": np.array([b"<OD>"], dtype=object)})


def test_a_caption_that_never_ends_is_cut(tmp_path: Path) -> None:
    florence(tmp_path, [4, 5, 6] * 26, VOCABULARY)
    said = Captioner(tmp_path, "cpu", 1, 10**6, longest=12).infer({"image": grey()})["text"][0]
    assert len(said.split()) <= 12


def test_what_florence_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"vision_encoder\.onnx.*tokenizer\.json; cure"):
        Captioner(tmp_path, "cpu", 1, 10**6)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=40))
def test_no_run_of_three_tokens_comes_twice(given_tokens: list[int]) -> None:
    said = given_tokens[:2]
    for token in given_tokens[2:]:
        logits = np.zeros(8, np.float32)
        logits[token] = 1
        said.append(chosen(logits, said))
    runs = [tuple(said[i : i + 3]) for i in range(len(said) - 2)]
    assert len(runs) == len(set(runs))


@given(
    arrays.arrays(
        np.float32, st.tuples(st.integers(4, 40), st.integers(4, 60)), elements=st.floats(0, 1, width=32)
    )
)
def test_lines_of_any_map_lie_in_the_picture(chart: NDArray[np.float32]) -> None:
    boxes, scores = quads(chart, (0.5, 0.5), (120, 80))
    assert boxes.shape == (len(scores), 4, 2)
    assert np.all(boxes >= 0) and np.all(boxes <= [120, 80]) and np.all(np.isfinite(boxes))
    for quad in boxes:
        assert upright(grey(80, 120), quad).shape[0] == 48


def test_a_block_of_the_map_becomes_a_line_that_has_grown() -> None:
    chart = np.zeros((60, 120), np.float32)
    chart[20:30, 20:80] = 0.9
    boxes, _ = quads(chart, (1, 1), (120, 60))
    (left, top), (right, bottom) = boxes[0][0], boxes[0][2]
    assert left < 16 and top < 16 and right > 84 and bottom > 34


@given(st.integers(0, 8))
def test_text_is_read_line_by_line_from_the_left(count: int) -> None:
    places = [(x * 50.0, y * 40.0) for y in range(3) for x in range(3)][:count]
    boxes = np.array([[[x, y], [x + 30, y], [x + 30, y + 20], [x, y + 20]] for x, y in places], np.float32)
    mixed = np.random.default_rng(count).permutation(count)
    order = reading_order(boxes.reshape(-1, 4, 2)[mixed])
    assert mixed[order].tolist() == list(range(count))


@given(st.text("abc ", max_size=12))
def test_ctc_spells_what_was_written(text: str) -> None:
    alphabet = ["a", "b", "c", " "]
    steps: list[int] = []
    for letter in text:
        number = alphabet.index(letter) + 1
        steps += [0, number, number] if steps and steps[-1] == number else [number, number]
    chances = np.full((len(steps), 5), 0.01, np.float32)
    chances[np.arange(len(steps)), steps] = 0.96
    said, sure = spelled(chances, alphabet)
    assert said == text and (not text or sure == pytest.approx(0.96))


@given(
    arrays.arrays(np.float32, st.tuples(st.integers(1, 12), st.just(5)), elements=st.floats(0, 1, width=32))
)
def test_ctc_never_raises(chances: NDArray[np.float32]) -> None:
    said, sure = spelled(chances, ["a", "b", "c", " "])
    assert len(said) <= len(chances) and 0 <= sure <= 1


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (np.zeros((10, 10), np.uint8), r"not uint8 \[10, 10\]"),
        (np.zeros((10, 10, 4), np.uint8), r"\[10, 10, 4\]"),
        (np.zeros((10, 10, 3), np.float32), "not float32"),
        (np.zeros((2, 10, 3), np.uint8), "too small"),
        (np.zeros((101, 100, 3), np.uint8), "too large"),
    ],
)
def test_what_is_no_picture_is_refused(tensor: NDArray[np.uint8], said: str) -> None:
    with pytest.raises(BadPicture, match=said):
        picture(tensor, 10_000)


@given(st.integers(8, 300), st.integers(8, 300), st.sampled_from([32, 320]))
def test_a_square_holds_the_whole_picture(height: int, width: int, side: int) -> None:
    square, scale = squared(np.full((height, width, 3), 255, np.uint8), side)
    assert square.shape == (1, 3, side, side) and square.dtype == np.float32
    shown = (max(1, round(height * scale)), max(1, round(width * scale)))
    assert max(shown) == side and square[0, 0, shown[0] - 1, shown[1] - 1] == 1
    assert square.sum() == pytest.approx(3 * shown[0] * shown[1], rel=1e-4)


def test_a_list_without_rows_has_one_that_does_not_count() -> None:
    """PyTriton 0.7 cannot send a tensor with a zero in its shape."""
    empty = listed(boxes=np.zeros((0, 4), np.float32), labels=words([]))
    assert empty["count"].tolist() == [0]
    assert empty["boxes"].shape == (1, 4) and empty["labels"].tolist() == [b""]
    full = listed(labels=words(["é", ""]))
    assert full["count"].tolist() == [2] and full["labels"].tolist() == ["é".encode(), b""]


def test_a_gpu_that_is_not_there_is_refused(tmp_path: Path) -> None:
    head(tmp_path / "model.onnx", np.ones((5, 1), np.float32), ["cat"])
    with pytest.raises(Unusable, match=r"CUDAExecutionProvider.*cure: .*device=cpu"):
        session(tmp_path / "model.onnx", "cuda", 1)


@pytest.mark.parametrize("name", ["model.onnx", "text.onnx", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"no onnx at all", bytes(100)], ids=["text", "zeros"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    world(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Unusable, match=rf"{name} cannot be loaded[^\n]*cure: \./build_engines\.sh vision"):
        World(tmp_path, ["cat"], "cpu", 1, 10**6)


def test_pp_ocr_reads_what_is_written() -> None:
    need_models("ppocr")
    files = locate("ppocr", "find.onnx"), locate("ppocr", "spell.onnx")
    reader = Reader(*files, "cpu", 2, 10**7, 960)
    found = reader.infer({"image": written("GAME OVER", "Score: 12840")})
    assert found["texts"].tolist() == [b"GAME OVER", b"Score: 12840"]
    assert found["quads"].shape == (2, 4, 2) and np.all(found["scores"] > 0.9)
    assert reader.infer({"image": grey()})["count"].tolist() == [0]


def test_nudenet_names_its_classes_and_finds_nothing_in_grey() -> None:
    need_models("nudenet")
    guard = Guard("guard", locate("nudenet", "guard.onnx"), "cpu", 2, 10**7, 320)
    assert len(guard.labels) == 18 and "BUTTOCKS_EXPOSED" in guard.labels
    assert guard.infer({"image": grey()})["unsafe"].tolist() == [0.0]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("host=0.0.0.0", "not this machine"),
        ("models=[ears]", "no 'ears'; they are: guard, text"),
        ("models=[]", "none is chosen"),
        ("device=tpu", "device"),
        ("guard_side=100", "multiple of 32"),
        ("port=0", "not a port"),
        ("threads=0", "1 or more"),
    ],
)
def test_options_are_refused_in_one_line(word: str, said: str) -> None:
    with pytest.raises(OptionError, match=said) as caught:
        parse(Options, [word])
    assert "\n" not in str(caught.value)


def test_without_a_gpu_no_environment_is_made_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SPARK_VISION_CUDA_ENV", str(tmp_path / "env"))
    with pytest.raises(ModelError, match=r"no NVIDIA GPU here .*; cure: vision=local"):
        prepare(parse(Options, ["device=cuda"]), print)
    assert not (tmp_path / "env").exists()


def test_fetch_is_told_only_what_is_served() -> None:
    assert models(Options()) == ["nudenet", "ppocr"]
    assert models(Options(models=["text"])) == ["ppocr"]
    assert models(Options(models=[], caption="/somewhere")) == []


def test_an_environment_that_cannot_be_made_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("no-such-package-of-this-name==0.0.1\n")
    monkeypatch.setenv("SPARK_TOY_ENV", str(tmp_path / "env"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    toy = Environment("toy", lock, "SPARK_TOY_ENV")
    with pytest.raises(ModelError, match=r"environment of toy failed .*; cure"):
        toy.make(lambda line: None)
    assert not toy.made


def test_an_environment_is_made_once_and_again_for_another_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, said = tmp_path / "requirements.txt", list[str]()
    lock.write_text("# nothing\n")
    monkeypatch.setenv("SPARK_TOY_ENV", str(tmp_path / "env"))
    toy = Environment("toy", lock, "SPARK_TOY_ENV")
    toy.make(said.append)
    toy.make(said.append)
    assert toy.made and toy.python.exists() and len(said) == 1
    lock.write_text("# another\n")
    assert not toy.made
