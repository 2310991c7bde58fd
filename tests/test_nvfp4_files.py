"""The safetensors reader: what is whole is read, and nothing else is."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.bundle.errors import BundleError
from engines.bundle.safetensors_read import DTYPES, INDEX, SINGLE, Checkpoint, header
from engines.bundle.safetensors_write import Draft, Slot, write, write_json
from tests.checkpoints import contents

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    "__metadata__".__ne__
)
slots = st.builds(
    Slot, names, st.sampled_from(sorted(DTYPES)), st.lists(st.integers(0, 5), max_size=3).map(tuple)
)


@given(st.lists(slots, max_size=5, unique_by=lambda slot: slot.name))
def test_what_is_written_is_read(found: list[Slot]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tensors = [(slot, bytes(number % 251 for number in range(slot.size))) for slot in found]
        write(Path(folder) / SINGLE, tensors)
        assert contents(Path(folder)) == {s.name: (s.dtype, s.shape, data) for s, data in tensors}


@given(st.binary(max_size=80))
def test_garbage_is_refused(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / SINGLE
        path.write_bytes(data)
        with pytest.raises(BundleError, match="damaged"):
            header(path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 99) | st.text(max_size=4) | st.sampled_from(sorted(DTYPES)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)
entries = st.fixed_dictionaries({"dtype": json_values, "shape": json_values, "data_offsets": json_values})


@given(
    st.dictionaries(names, entries | json_values, min_size=1, max_size=3) | json_values, st.integers(0, 40)
)
def test_any_other_header_is_refused_or_whole(content: object, extra: int) -> None:
    text = json.dumps(content).encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / SINGLE
        path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(extra))
        try:
            found = header(path)
        except BundleError:
            return
        assert sum(tensor.size for tensor in found.values()) == extra


def test_a_file_cut_short_is_named(tmp_path: Path) -> None:
    path = tmp_path / SINGLE
    write(path, [(Slot("a", "F32", (4,)), bytes(16))])
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BundleError, match=r"model.safetensors is damaged.*cure: fetch it again"):
        header(path)


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / SINGLE
    write(path, [(Slot("a", "F32", (4,)), bytes(16))])
    with Checkpoint.of(tmp_path) as found:
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(BundleError, match="a cannot be read whole"):
            found.whole(found.tensors["a"])


@pytest.mark.parametrize("file", ["../model.safetensors", "/etc/passwd", 7])
def test_an_index_leads_nowhere_else(tmp_path: Path, file: object) -> None:
    write_json(tmp_path / INDEX, {"weight_map": {"a": file}})
    with pytest.raises(BundleError, match="not a file beside it"):
        Checkpoint.of(tmp_path)


def test_an_index_without_its_shard_or_tensor(tmp_path: Path) -> None:
    write_json(tmp_path / INDEX, {"weight_map": {"a": "one.safetensors"}})
    with pytest.raises(BundleError, match=r"one.safetensors: No such file"):
        Checkpoint.of(tmp_path)
    write(tmp_path / "one.safetensors", [(Slot("b", "U8", (1,)), b"x")])
    with pytest.raises(BundleError, match=r"one.safetensors has no a"):
        Checkpoint.of(tmp_path)


def test_a_draft_is_not_there_before_it_is_finished(tmp_path: Path) -> None:
    draft = Draft(tmp_path / SINGLE, [Slot("a", "U8", (2,))])
    draft.put("a", 0, b"x")
    assert not (tmp_path / SINGLE).exists()
    draft.close()
    assert not (tmp_path / SINGLE).exists()
