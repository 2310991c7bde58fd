"""The hub's client against a server that behaves like the hub, on good and bad days."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from engines import download
from engines.bars import Bars
from engines.bundle import hub as client
from engines.bundle.errors import BundleError
from engines.port import unused
from tests.hub_server import COMMIT, Hub, serving

WEIGHTS = random.Random(3).randbytes(120_000)
FILES = {
    "config.json": b'{"model_type": "llama"}',
    "model-00001-of-00001.safetensors": WEIGHTS,
    "original/consolidated.00.pth": b"not wanted",
    "pytorch_model.bin": b"not wanted",
    ".gitattributes": b"not wanted",
}
WANTED = ["config.json", "model-00001-of-00001.safetensors"]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with serving(dict(FILES)) as running:
        yield running


def fetch(hub: Hub, folder: Path) -> client.Listing:
    folder.mkdir(exist_ok=True)
    asked = client.Hub(hub.address)
    listing = asked.listing("owner/name", "main")
    asked.fetch(listing, folder, Bars(Console(quiet=True)))
    client.keep(folder, listing)
    return listing


def test_what_is_needed_comes_by_its_commit_and_only_once(hub: Hub, tmp_path: Path) -> None:
    listing = fetch(hub, tmp_path)
    assert listing.commit == COMMIT and [file.name for file in listing.files] == WANTED
    assert all((tmp_path / name).read_bytes() == FILES[name] for name in WANTED)
    assert client.kept(tmp_path) == listing
    before = len(hub.asked)
    fetch(hub, tmp_path)
    assert len(hub.asked) == before + 1  # the listing alone
    (tmp_path / WANTED[1]).write_bytes(WEIGHTS[:-1])
    assert client.kept(tmp_path) is None


def test_a_connection_that_breaks_goes_on_where_it_was(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.breaks = True
    fetch(hub, tmp_path)
    assert (tmp_path / WANTED[1]).read_bytes() == WEIGHTS
    ranges = [wanted for path, wanted, _ in hub.asked if path == f"/cdn/{WANTED[1]}"]
    assert ranges[0] == "" and len(ranges) == 12 and ranges[-1] == "bytes=110000-"


def test_a_branch_that_moved_while_it_was_fetched_leaves_nothing_of_before(hub: Hub, tmp_path: Path) -> None:
    fetch(hub, tmp_path)
    (tmp_path / client.LISTING).unlink()  # as a kill leaves it
    hub.files[WANTED[1]] = bytes(reversed(WEIGHTS))
    hub.files["added.json"] = hub.files.pop("config.json")
    listing = fetch(hub, tmp_path)
    assert client.kept(tmp_path) == listing
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name[0] != "."} == {
        WANTED[1]: hub.files[WANTED[1]],
        "added.json": FILES["config.json"],
    }


def test_a_wrong_hash_is_told_and_nothing_stays(hub: Hub, tmp_path: Path) -> None:
    for name in WANTED:
        hub.damaged = name
        with pytest.raises(BundleError, match=r"damaged.*cure: start again"):
            fetch(hub, tmp_path / name)
        assert not (tmp_path / name / name).exists() and not list((tmp_path / name).glob(".*.part"))
        hub.damaged = ""
        fetch(hub, tmp_path / name)


def test_a_damaged_leftover_is_fetched_from_nothing(hub: Hub, tmp_path: Path) -> None:
    listing = client.Hub(hub.address).listing("owner/name", "main")
    mark = listing.files[1].hash[:12]
    (tmp_path / f".{WANTED[1]}.{mark}.part").write_bytes(bytes(50_000))
    fetch(hub, tmp_path)
    assert (tmp_path / WANTED[1]).read_bytes() == WEIGHTS


def test_a_gated_model_is_explained(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.token = "hf_right"
    with pytest.raises(BundleError, match=r"gated.*cure: accept it at .*/owner/name, .*HF_TOKEN="):
        fetch(hub, tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(BundleError, match=r"not open to the account of HF_TOKEN; cure: accept") as caught:
        fetch(hub, tmp_path)
    assert "hf_wrong" not in str(caught.value)
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    fetch(hub, tmp_path)
    assert (tmp_path / WANTED[1]).read_bytes() == WEIGHTS


def test_a_token_goes_to_the_hub_and_not_where_it_redirects(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    with serving(dict(FILES)) as elsewhere:
        headers = {"Authorization": "Bearer hf_right"}
        down = download.Downloader(headers)
        with pytest.raises(download.Refused):
            down.download(f"{hub.address}/nothing", tmp_path / "x", lambda *_: None)
        down.close()
        assert elsewhere.asked == [] and hub.asked[-1][2] == "Bearer hf_right"


def test_a_wrong_name_and_no_network_are_one_line(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="has no revision 'v9', or does not exist"):
        client.Hub(hub.address).listing("owner/name", "v9")
    nobody = client.Hub(f"http://127.0.0.1:{unused()}")
    with pytest.raises(BundleError, match=r"does not answer .*cure: .*source=FOLDER") as caught:
        nobody.listing("owner/name", "main")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../../b", "..\\b", ""])
def test_names_that_lead_away_are_refused(hub: Hub, name: str) -> None:
    hub.listing = {"sha": COMMIT, "siblings": [{"rfilename": name, "size": 1, "blobId": "0" * 40}]}
    with pytest.raises(BundleError, match="leads out of its folder"):
        client.Hub(hub.address).listing("owner/name", "main")


@pytest.mark.parametrize("blob", ["../../../up", "", "0" * 39, "G" * 40])
def test_a_hash_that_is_none_names_no_file(hub: Hub, blob: str) -> None:
    hub.listing = {"sha": COMMIT, "siblings": [{"rfilename": "a.json", "size": 1, "blobId": blob}]}
    with pytest.raises(BundleError, match="gave no list of owner/name"):
        client.Hub(hub.address).listing("owner/name", "main")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["sha", "siblings", "x"]), inner)
    ),
)


@given(JSON)
def test_no_listing_is_one_line_too(said: object) -> None:
    with pytest.raises((BundleError, ValueError, KeyError, TypeError, AttributeError)):
        client._listed("owner/name", json.loads(json.dumps(said)))


def test_a_token_or_a_proxy_that_can_be_none_is_one_line(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_t\u00f6ken")
    with pytest.raises(BundleError, match=r"^HF_TOKEN has characters.*; cure: copy it once more$"):
        client.Hub(hub.address)
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    with pytest.raises(BundleError, match=r"^the environment's proxy.*; cure: HTTPS_PROXY=[^\n]+$"):
        client.Hub(hub.address).listing("owner/name", "main")
