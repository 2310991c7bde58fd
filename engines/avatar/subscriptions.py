"""Events: what a plugin can subscribe to, and what it is told."""

from __future__ import annotations

import re

from engines.avatar.fields import flag, section, text
from engines.avatar.models import Hotkey, Model, Position
from engines.avatar.puppet import Client, Puppet
from engines.avatar.wire import ApiError, Data

MODEL_ID = re.compile(r"[0-9a-fA-F]{32}")
LONGEST_TEST = 32  # characters
ACTIONS = (  # in the order of HotkeyAction.cs: Unset is -1
    "Unset TriggerAnimation ChangeIdleAnimation ToggleExpression RemoveAllExpressions MoveModel "
    "ChangeBackground ReloadMicrophone ReloadTextures CalibrateCam ChangeVTSModel TakeScreenshot "
    "ScreenColorOverlay RemoveAllItems ToggleItemScene DownloadRandomWorkshopItem ExecuteItemAction "
    "ArtMeshColorPreset ToggleTracker ToggleTwitchFeature LoadEffectPreset ToggleLive2DEditorAPI "
    "WebItemAction ToggleModelSound"
).split()
# The second half are of things that she does not have: they may be subscribed to, and do not come.
# ModelOutlineEvent and the tracking of meshes are left out: only a page knows where she is drawn.
EVENTS = frozenset(
    "TestEvent ModelLoadedEvent TrackingStatusChangedEvent ModelMovedEvent HotkeyTriggeredEvent "
    "ModelConfigChangedEvent BackgroundChangedEvent ModelAnimationEvent ItemEvent ModelClickedEvent "
    "PostProcessingEvent Live2DCubismEditorConnectedEvent".split()
)


def subscribe(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """EventSubscriptionRequest. Raises ApiError 2, 950, 100000, 100050, 100100."""
    name, wanted = text(data, "eventName", 950), flag(data, "subscribe")
    if not name and not wanted:
        client.events.clear()
    elif name not in EVENTS:
        raise ApiError(950, "there is no event of this name")
    elif not wanted:
        client.events.pop(name, None)
    else:
        client.events[name] = _checked(name, section(data, "config"))
        if name == "ModelMovedEvent" and puppet.wardrobe.model:  # this one also says how things are
            client.tell(name, _moved(puppet.wardrobe.model, puppet.wardrobe.position))
    return {"subscribedEventCount": len(client.events), "subscribedEvents": list(client.events)}


def _checked(name: str, config: Data) -> Data:
    if name == "TestEvent" and len(text(config, "testMessageForEvent", 100_000)) > LONGEST_TEST:
        raise ApiError(100_000, f"testMessageForEvent must be at most {LONGEST_TEST} characters")
    if name == "ModelLoadedEvent":
        ids = config.get("modelID") or []
        if not isinstance(ids, list) or not all(isinstance(i, str) and MODEL_ID.fullmatch(i) for i in ids):
            raise ApiError(100_050, "modelID must be a list of IDs of 32 hexadecimal digits")
    if name == "HotkeyTriggeredEvent":
        flag(config, "ignoreHotkeysTriggeredByAPI")
        _action(config)
    return config


def _action(config: Data) -> str:
    """The one action that is wanted, by its name or its number; "": all. Raises ApiError 100100."""
    action = config.get("onlyForAction")
    if isinstance(action, int) and -1 <= action < len(ACTIONS) - 1:
        return ACTIONS[action + 1]
    if action not in (None, "", *ACTIONS):
        raise ApiError(100_100, "onlyForAction is not an action of hotkeys")
    return action or ""


def model_loaded(puppet: Puppet, model: Model, loaded: bool) -> None:
    """A model was put on or off."""
    data = {"modelLoaded": loaded, "modelName": model.name, "modelID": model.id}
    puppet.announce("ModelLoadedEvent", data, lambda c: not c.get("modelID") or model.id in c["modelID"])


def hotkey_triggered(puppet: Puppet, key: Hotkey) -> None:
    """A plugin triggered a hotkey; there is no other way."""
    model = puppet.wardrobe.model
    data = {
        "hotkeyID": key.id,
        "hotkeyName": key.name,
        "hotkeyAction": key.action,
        "hotkeyFile": key.file,
        "hotkeyTriggeredByAPI": True,
        "modelID": model.id if model else "",
        "modelName": model.name if model else "",
        "isLive2DItem": False,
    }

    def wanted(config: Data) -> bool:
        return not flag(config, "ignoreHotkeysTriggeredByAPI") and _action(config) in ("", key.action)

    puppet.announce("HotkeyTriggeredEvent", data, wanted)


def model_moved(puppet: Puppet) -> None:
    """A plugin moved her."""
    if puppet.wardrobe.model:
        puppet.announce("ModelMovedEvent", _moved(puppet.wardrobe.model, puppet.wardrobe.position))


def _moved(model: Model, place: Position) -> Data:
    return {"modelID": model.id, "modelName": model.name, "modelPosition": position(place)}


def position(place: Position) -> dict[str, float]:
    """As CurrentModelResponse and ModelMovedEvent have it."""
    return {"positionX": place.x, "positionY": place.y, "rotation": place.rotation, "size": place.size}


def tracking(puppet: Puppet, now: float) -> None:
    """Tell when the face was found or lost since this was last asked."""
    found = puppet.parameters.face_found(now)
    if found != puppet.face:
        puppet.face = found
        data = {"faceFound": found, "leftHandFound": False, "rightHandFound": False}
        puppet.announce("TrackingStatusChangedEvent", data)


def test(puppet: Puppet, now: float) -> None:
    """TestEvent, which comes every second: each plugin's own message, and the seconds since the start."""
    for client in puppet.clients:
        if "TestEvent" in client.events:
            message = client.events["TestEvent"].get("testMessageForEvent") or ""
            client.tell("TestEvent", {"yourTestMessage": message, "counter": int(now - puppet.began)})
