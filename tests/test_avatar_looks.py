"""Models, hotkeys, expressions and events, as plugins see them; and what pages are told of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engines.avatar.feed import Page
from engines.avatar.models import EXPRESSIONS
from engines.avatar.models import MODELS as WARDROBE
from engines.avatar.options import MODELS as OPTION
from tests.puppet import Talk, puppet

ROOT = Path(__file__).parent.parent
HAPPY = "happy.exp3.json"


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(puppet(tmp_path), "Plugin A")


def active(talk: Talk) -> list[str]:
    found = talk.ask("ExpressionState", details=False)["expressions"]
    return [item["file"] for item in found if item["active"]]


def key(talk: Talk, name: str) -> str:
    keys = talk.ask("HotkeysInCurrentModel")["availableHotkeys"]
    return next(str(item["hotkeyID"]) for item in keys if item["name"] == name)


def test_two_models_with_ids_that_stay(talk: Talk, tmp_path: Path) -> None:
    listed = talk.ask("AvailableModels")["availableModels"]
    assert [(m["modelName"], m["modelLoaded"]) for m in listed] == [("Spark", True), ("Spark Evil", False)]
    assert tuple(m["modelName"] for m in listed) == OPTION
    again = Talk(puppet(tmp_path), "Plugin A").ask("AvailableModels")["availableModels"]
    assert [m["modelID"] for m in listed] == [m["modelID"] for m in again]
    assert all(len(m["modelID"]) == 32 for m in listed)


def test_the_page_has_the_palette_of_every_model() -> None:
    page = (ROOT / "engines" / "avatar" / "page" / "palettes.js").read_text(encoding="utf-8")
    (looks,) = re.findall(r"export const LOOKS = \{(.*?)\};", page)
    found = {name.strip('" '): palette for name, palette in re.findall(r'([\w" ]+): "(\w+)"', looks)}
    assert found == {model.name: model.palette for model in WARDROBE.values()}


def test_loading_a_model(talk: Talk) -> None:
    evil = talk.ask("AvailableModels")["availableModels"][1]["modelID"]
    spark = talk.ask("CurrentModel")["modelID"]
    talk.ask("ExpressionActivation", expressionFile=HAPPY, active=True)
    talk.ask("EventSubscription", eventName="ModelLoadedEvent", subscribe=True, config={"modelID": [evil]})
    talk.now = 5.0
    assert talk.ask("ModelLoad", modelID=evil) == {"modelID": evil}
    assert active(talk) == []
    loaded = {"modelLoaded": True, "modelName": "Spark Evil", "modelID": evil}
    assert talk.told() == [("ModelLoadedEvent", loaded)]
    talk.now = 5.5
    current = talk.ask("CurrentModel")
    assert (current["modelName"], current["timeSinceModelLoaded"]) == ("Spark Evil", 500)
    assert talk.no("ModelLoad", modelID=spark) == 153
    assert talk.no("ModelLoad", modelID="f" * 32) == 152
    assert talk.no("ModelLoad") == 150
    assert talk.no("ModelLoad", modelID=3) == 151
    talk.now = 7.0
    talk.ask("ModelLoad", modelID="")
    assert talk.ask("CurrentModel")["modelLoaded"] is False
    assert talk.told() == [("ModelLoadedEvent", loaded | {"modelLoaded": False})]
    assert talk.no("HotkeyTrigger", hotkeyID="Happy") == 201
    assert talk.no("ExpressionActivation", expressionFile=HAPPY, active=True) == 652
    assert talk.no("MoveModel", timeInSeconds=0, valuesAreRelativeToModel=True) == 300
    assert talk.ask("ExpressionState")["expressions"] == []
    assert talk.ask("HotkeysInCurrentModel")["availableHotkeys"] == []
    assert talk.ask("Live2DParameterList")["parameters"] == []


def test_expressions(talk: Talk) -> None:
    files = [item["file"] for item in talk.ask("ExpressionState")["expressions"]]
    assert files == [f"{name}.exp3.json" for name in EXPRESSIONS]
    talk.ask("ExpressionActivation", expressionFile=HAPPY, active=True, fadeTime=9)
    talk.ask("ExpressionActivation", expressionFile="shy.exp3.json", active=True)
    assert talk.there.wardrobe.active == {"happy": 2.0, "shy": 0.25}
    talk.ask("ExpressionActivation", expressionFile=HAPPY, active=False)
    talk.ask("ExpressionActivation", expressionFile=HAPPY, active=False)
    assert active(talk) == ["shy.exp3.json"]
    one = talk.ask("ExpressionState", expressionFile=HAPPY, details=True)["expressions"]
    assert [used["name"] for used in one[0]["usedInHotkeys"]] == ["Happy", "No Expression"]
    assert talk.no("ExpressionState", expressionFile="happy") == 600
    assert talk.no("ExpressionState", expressionFile="bored.exp3.json") == 601
    assert talk.no("ExpressionActivation", expressionFile="happy", active=True) == 650
    assert talk.no("ExpressionActivation", active=True) == 650
    assert talk.no("ExpressionActivation", expressionFile="bored.exp3.json", active=True) == 651
    assert talk.no("ExpressionActivation", expressionFile=HAPPY, active="yes") == 2


def test_hotkeys_by_id_and_name(talk: Talk) -> None:
    happy = key(talk, "Happy")
    talk.ask("EventSubscription", eventName="HotkeyTriggeredEvent", subscribe=True)
    assert talk.ask("HotkeyTrigger", hotkeyID=happy) == {"hotkeyID": happy}
    assert active(talk) == [HAPPY]
    assert talk.no("HotkeyTrigger", hotkeyID="HAPPY") == 203
    talk.now = 0.1
    talk.ask("HotkeyTrigger", hotkeyID="HAPPY")
    assert active(talk) == []
    talk.ask("HotkeyTrigger", hotkeyID="shy")
    talk.ask("HotkeyTrigger", hotkeyID="no expression")
    assert active(talk) == []
    talk.ask("HotkeyTrigger", hotkeyID="palette evil")
    assert talk.there.wardrobe.palette == "evil"
    assert talk.no("HotkeyTrigger", hotkeyID="dance") == 202
    assert talk.no("HotkeyTrigger") == 202
    assert talk.no("HotkeyTrigger", hotkeyID=happy, itemInstanceID="x") == 207
    names = [data["hotkeyName"] for _, data in talk.told()]
    assert names == ["Happy", "Happy", "Shy", "No Expression", "Palette evil"]
    evil = talk.ask("AvailableModels")["availableModels"][1]["modelID"]
    other = talk.ask("HotkeysInCurrentModel", modelID=evil)
    assert (other["modelName"], other["modelLoaded"]) == ("Spark Evil", False)
    assert talk.no("HotkeysInCurrentModel", modelID="f" * 32) == 152


@pytest.mark.parametrize(
    ("config", "comes"),
    [
        ({}, True),
        ({"onlyForAction": "ToggleExpression"}, True),
        ({"onlyForAction": 2}, True),
        ({"onlyForAction": "MoveModel"}, False),
        ({"onlyForAction": 5}, False),
        ({"ignoreHotkeysTriggeredByAPI": True}, False),
    ],
)
def test_a_hotkeys_event_is_filtered(talk: Talk, config: dict[str, object], comes: bool) -> None:
    talk.ask("EventSubscription", eventName="HotkeyTriggeredEvent", subscribe=True, config=config)
    talk.ask("HotkeyTrigger", hotkeyID="Happy")
    assert bool(talk.told()) is comes


def test_subscribing(talk: Talk) -> None:
    for name in ("TestEvent", "TrackingStatusChangedEvent"):
        answer = talk.ask("EventSubscription", eventName=name, subscribe=True)
    names = ["TestEvent", "TrackingStatusChangedEvent"]
    assert answer == {"subscribedEventCount": 2, "subscribedEvents": names}
    talk.ask("EventSubscription", eventName="ItemEvent", subscribe=False)
    assert talk.no("EventSubscription", eventName="NoSuchEvent", subscribe=True) == 950
    assert talk.no("EventSubscription", subscribe=True) == 950
    wrong = [
        ("TestEvent", {"testMessageForEvent": "x" * 33}, 100_000),
        ("ModelLoadedEvent", {"modelID": ["x"]}, 100_050),
        ("HotkeyTriggeredEvent", {"onlyForAction": "Dance"}, 100_100),
        ("HotkeyTriggeredEvent", {"onlyForAction": 99}, 100_100),
        ("TestEvent", [], 2),
    ]
    for name, config, number in wrong:
        assert talk.no("EventSubscription", eventName=name, subscribe=True, config=config) == number
    assert talk.ask("EventSubscription", subscribe=False)["subscribedEventCount"] == 0


def test_moving(talk: Talk) -> None:
    talk.ask("EventSubscription", eventName="ModelMovedEvent", subscribe=True)
    talk.ask("MoveModel", timeInSeconds=0.2, valuesAreRelativeToModel=False, positionX=0.5, rotation=-90)
    talk.ask("MoveModel", timeInSeconds=0, valuesAreRelativeToModel=True, positionX=0.25, size=-20)
    place = {"positionX": 0.75, "positionY": 0.0, "rotation": 270.0, "size": -20.0}
    assert talk.ask("CurrentModel")["modelPosition"] == place
    assert [data["modelPosition"]["positionX"] for _, data in talk.told()] == [0, 0.5, 0.75]
    assert talk.no("MoveModel", timeInSeconds=0) == 301
    assert talk.no("MoveModel", timeInSeconds=3, valuesAreRelativeToModel=False) == 302
    assert talk.no("MoveModel", timeInSeconds=0, valuesAreRelativeToModel=False, size=101) == 302


def test_a_plugin_that_does_not_read_its_events_has_the_newest(talk: Talk) -> None:
    talk.ask("EventSubscription", eventName="HotkeyTriggeredEvent", subscribe=True)
    for number in range(500):
        talk.now = float(number)
        talk.ask("HotkeyTrigger", hotkeyID="Happy")
    assert len(talk.told()) == 64


def test_what_she_does_not_have(talk: Talk) -> None:
    assert talk.ask("ArtMeshList")["numberOfArtMeshNames"] == 0
    assert talk.ask("ColorTint", colorTint={"colorR": 1}, artMeshMatcher={}) == {"matchedArtMeshes": 0}
    assert talk.no("ColorTint") == 251
    assert talk.ask("ItemList")["itemInstancesInScene"] == []
    assert talk.no("ItemLoad", fileName="cat.png") == 751
    moved = talk.ask("ItemMove", itemsToMove=[{"itemInstanceID": "x"}])["movedItems"]
    assert moved == [{"itemInstanceID": "x", "success": False, "errorID": 900}]
    assert talk.no("SetCurrentModelPhysics") == 701
    assert talk.no("Permission", requestedPermission="Everything") == 1100
    assert talk.ask("SceneColorOverlayInfo")["colorOverlayR"] == 255


def test_a_page_is_told_how_it_is_and_then_what_changed(talk: Talk) -> None:
    page = Page(talk.there)
    first = page.first(0.0)
    assert (first["model"], first["palette"], first["expressions"]) == ("Spark", "main", {})
    assert isinstance(first["params"], dict) and first["params"]["EyeOpenLeft"] == 0.82
    assert list(page.next(0.0)) == []
    talk.ask("InjectParameterData", parameterValues=[{"id": "FaceAngleX", "value": 1.23456}])
    assert list(page.next(0.0)) == [{"p": {"FaceAngleX": 1.2346}, "injected": True}]
    talk.ask("InjectParameterData", parameterValues=[{"id": "FaceAngleX", "value": -99}])
    talk.ask("InjectParameterData", parameterValues=[{"id": "MouthOpen", "value": 1}])
    talk.ask("ExpressionActivation", expressionFile=HAPPY, active=True, fadeTime=0.3)
    assert list(page.next(0.1)) == [
        {"expressions": {"happy": 0.3}},
        {"p": {"FaceAngleX": -30.0, "MouthOpen": 1.0}, "injected": True},
    ]
    talk.ask("HotkeyTrigger", hotkeyID="Palette evil")
    assert list(page.next(1.2)) == [{"model": "Spark", "palette": "evil"}, {"injected": False}]
    assert list(page.next(2.0)) == []


def test_a_page_that_comes_late_is_told_what_was_before_it(talk: Talk) -> None:
    talk.ask("InjectParameterData", parameterValues=[{"id": "MouthOpen", "value": 1}])
    talk.ask("MoveModel", timeInSeconds=0, valuesAreRelativeToModel=False, size=-20)
    page = Page(talk.there)
    page.first(0.5)
    place = {"positionX": 0.0, "positionY": 0.0, "rotation": 0.0, "size": -20.0}
    assert list(page.next(0.5)) == [{"position": place}, {"p": {}, "injected": True}]
