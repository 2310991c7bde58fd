"""obs_setup against a peer that keeps what it is told, with OBS's browser source, which Debian's has not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from engines.chess import token
from glue.errors import ConfigError
from glue.set_up import game, set_up
from glue.stage.obs import Obs
from glue.stage.obs_cues import State
from glue.stage.obs_layout import Pages, layout
from tests.test_conf import composed
from tests.test_obs import speaking

pytestmark = pytest.mark.anyio
SCENES = {state: f"Spark {state.value}" for state in State}
SIZE = (1920, 1080)
PARTS = ("Caption", "Now")
Json = dict[str, Any]


def pages(token: str, game: str = "http://127.0.0.1:8029/?token=g") -> Pages:
    page = f"http://127.0.0.1:8020/stage?token={token}"
    return Pages(page, game, [f"{page}&who={who}" for who in ("main", "evil")])


@dataclass
class Kept:
    """The collection of an OBS: scenes with their items from the bottom up, inputs, settings."""

    scenes: dict[str, list[Json]] = field(default_factory=lambda: {"Scene": []})
    inputs: dict[str, Json] = field(default_factory=dict)
    changes: list[Json] = field(default_factory=list)  # all that was asked beyond questions
    program: str = "Scene"
    _ids: int = 0

    async def serve(self, socket: ServerConnection) -> None:
        await socket.send(json.dumps({"op": 0, "d": {"obsWebSocketVersion": "5.5.0", "rpcVersion": 1}}))
        await socket.recv()
        await socket.send(json.dumps({"op": 2, "d": {"negotiatedRpcVersion": 1}}))
        async for text in socket:
            asked = json.loads(text)["d"]
            kind, data = asked["requestType"], asked.get("requestData") or {}
            if not kind.startswith("Get"):
                self.changes.append({"kind": kind, **data})
            answer: Callable[[Json], Json] = getattr(self, kind)
            status = {"result": True, "code": 100}
            d = {"requestType": kind, "requestId": asked["requestId"], "requestStatus": status}
            await socket.send(json.dumps({"op": 7, "d": d | {"responseData": answer(data)}}))

    def order(self, scene: str) -> list[str]:
        return [item["sourceName"] for item in self.scenes[scene]]

    def urls(self) -> dict[str, str]:
        browsers = {name: each for name, each in self.inputs.items() if each["kind"] == "browser_source"}
        return {name: each["settings"]["url"] for name, each in browsers.items()}

    def GetVideoSettings(self, data: Json) -> Json:
        return {"baseWidth": SIZE[0], "baseHeight": SIZE[1]}

    def GetSceneCollectionList(self, data: Json) -> Json:
        return {"currentSceneCollectionName": "Mine", "sceneCollections": ["Mine"]}

    def GetInputKindList(self, data: Json) -> Json:
        return {"inputKinds": ["color_source_v3", "browser_source", "text_gdiplus_v3", "game_capture"]}

    def GetInputList(self, data: Json) -> Json:
        found = [{"inputName": n, "unversionedInputKind": each["kind"]} for n, each in self.inputs.items()]
        return {"inputs": found}

    def GetSceneList(self, data: Json) -> Json:
        return {"scenes": [{"sceneName": name} for name in self.scenes]}

    def GetSceneItemList(self, data: Json) -> Json:
        items = self.scenes[data["sceneName"]]
        return {"sceneItems": [{**item, "sceneItemIndex": number} for number, item in enumerate(items)]}

    def GetInputSettings(self, data: Json) -> Json:
        return {"inputSettings": self.inputs[data["inputName"]]["settings"]}

    def CreateScene(self, data: Json) -> Json:
        self.scenes[data["sceneName"]] = []
        return {}

    def CreateInput(self, data: Json) -> Json:
        self.inputs[data["inputName"]] = {"kind": data["inputKind"], "settings": data["inputSettings"]}
        return self.CreateSceneItem({"sceneName": data["sceneName"], "sourceName": data["inputName"]})

    def CreateSceneItem(self, data: Json) -> Json:
        self._ids += 1
        self.scenes[data["sceneName"]].append({"sourceName": data["sourceName"], "sceneItemId": self._ids})
        return {"sceneItemId": self._ids}

    def SetSceneItemIndex(self, data: Json) -> Json:
        items = self.scenes[data["sceneName"]]
        (item,) = [each for each in items if each["sceneItemId"] == data["sceneItemId"]]
        items.remove(item)
        items.insert(data["sceneItemIndex"], item)
        return {}

    def SetSceneItemTransform(self, data: Json) -> Json:
        return {}

    def SetInputSettings(self, data: Json) -> Json:
        self.inputs[data["inputName"]]["settings"] |= data["inputSettings"]
        return {}


async def run(kept: Kept, shown: Pages) -> list[str]:
    """What one run says; what it changed is in `kept.changes`."""
    said: list[str] = []
    kept.changes.clear()
    async with speaking(kept.serve) as port:
        async with Obs(port=port, scenes=SCENES, caption=PARTS[0], playing=PARTS[1]) as obs:
            await obs.set_up("", shown, said.append)
    return said


def wanted(scene: str) -> list[str]:
    return [each.source for each in layout(SCENES, *PARTS, pages("a"), SIZE).scenes[scene]]


async def test_all_is_made_once_and_a_new_token_changes_addresses_only() -> None:
    kept = Kept()
    await run(kept, pages("old"))
    assert {scene: kept.order(scene) for scene in SCENES.values()} == {s: wanted(s) for s in SCENES.values()}
    twins = pages("old").twins
    assert kept.urls() == {
        "Spark Avatar": pages("old").stage,
        "Spark Board": pages("old").game,
        "Spark Left": twins[0],
        "Spark Right": twins[1],
    }
    said = await run(kept, pages("old"))
    assert said == ["all of it was there; nothing was changed"] and not kept.changes
    await run(kept, pages("new"))
    new = {"Spark Avatar", "Spark Left", "Spark Right"}
    assert {change["kind"] for change in kept.changes} == {"SetInputSettings"}
    assert {change["inputName"] for change in kept.changes} == new
    assert all(list(change["inputSettings"]) == ["url"] for change in kept.changes)
    assert all("token=new" in kept.urls()[name] for name in new)


@pytest.mark.parametrize(
    ("words", "address"),
    [
        (["+show=[chess,obs_setup]"], "http://127.0.0.1:8029/?token=b0ard"),
        (["+show=[chess,obs_setup]", "chess.engine.port=8077"], "http://127.0.0.1:8077/?token=b0ard"),
        (["+show=[minecraft,obs_setup]"], "http://127.0.0.1:8031/map"),
        (["+show=[chess,obs_setup]", "obs_setup.game='http://127.0.0.1:9/mine'"], "http://127.0.0.1:9/mine"),
    ],
)
async def test_the_game_that_is_played_is_in_its_scene(
    words: list[str], address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "spark-vtuber").mkdir()
    (tmp_path / "spark-vtuber" / "chess-token").write_text("b0ard\n")
    kept = Kept()
    async with speaking(kept.serve) as port:
        await set_up(composed(*words, f"broadcast.port={port}", "obs_setup.collection="), lambda line: None)
    assert kept.urls()["Spark Board"] == address
    assert kept.order("Spark Game")[0] == "Spark Board"


async def test_a_board_that_was_never_started_has_its_token_by_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    address = game(composed("+show=[chess,obs_setup]"))
    assert address == f"http://127.0.0.1:8029/?token={token.kept_token(token.token_path(''))}"


def test_a_token_of_the_board_that_cannot_be_read_is_told_with_its_key(tmp_path: Path) -> None:
    (tmp_path / "token").mkdir()
    cfg = composed("+show=[chess,obs_setup]", f"chess.engine.token_file={tmp_path / 'token'}")
    with pytest.raises(ConfigError, match=r"^chess\.engine\.token_file: "):
        game(cfg)


@pytest.mark.parametrize("gone", wanted("Spark chatting"))
async def test_what_is_put_back_stands_where_it_stood(gone: str) -> None:
    kept, scene = Kept(), "Spark chatting"
    await run(kept, pages("a"))
    kept.scenes[scene] = [item for item in kept.scenes[scene] if item["sourceName"] != gone]
    kept.scenes[scene].insert(0, {"sourceName": "My Picture", "sceneItemId": 900})
    kept.scenes[scene].append({"sourceName": "My Logo", "sceneItemId": 901})
    await run(kept, pages("a"))
    assert [name for name in kept.order(scene) if not name.startswith("My")] == wanted(scene)
    assert kept.order(scene)[-1] == "My Logo", "what a user has put on top stays there"
    assert kept.order(scene)[0] == "My Picture" or gone == wanted(scene)[0]
