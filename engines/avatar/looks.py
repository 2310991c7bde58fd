"""Answers on models, hotkeys and expressions."""

from __future__ import annotations

from engines.avatar import subscriptions
from engines.avatar.fields import flag, real, text
from engines.avatar.models import (
    CLEAR,
    ENDING,
    EXPRESSIONS,
    FADE_S,
    LONGEST_FADE_S,
    MODELS,
    TOGGLE,
    Hotkey,
    Model,
    hotkeys,
)
from engines.avatar.puppet import Client, Puppet
from engines.avatar.wire import ApiError, Data


def which(puppet: Puppet) -> dict[str, object]:
    """The model that is on, as many answers begin."""
    model = puppet.wardrobe.model
    return {
        "modelLoaded": model is not None,
        "modelName": model.name if model else "",
        "modelID": model.id if model else "",
    }


def current_model(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """CurrentModelRequest; all empty or 0 where no model is on. She has no meshes, textures or physics."""
    model, wardrobe = puppet.wardrobe.model, puppet.wardrobe
    return {
        **which(puppet),
        "vtsModelName": f"{model.name}.vtube.json" if model else "",
        "vtsModelIconName": "",
        "live2DModelName": f"{model.name}.model3.json" if model else "",
        "modelLoadTime": 0,
        "timeSinceModelLoaded": round((now - wardrobe.loaded_at) * 1000) if model else 0,
        "numberOfLive2DParameters": len(list(puppet.parameters.all())) if model else 0,
        "numberOfLive2DArtmeshes": 0,
        "hasPhysicsFile": False,
        "numberOfTextures": 0,
        "textureResolution": 0,
        "modelPosition": subscriptions.position(wardrobe.position),
    }


def available_models(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """AvailableModelsRequest."""
    models = [
        {
            "modelLoaded": model == puppet.wardrobe.model,
            "modelName": model.name,
            "modelID": model.id,
            "vtsModelName": f"{model.name}.vtube.json",
            "vtsModelIconName": "",
        }
        for model in MODELS.values()
    ]
    return {"numberOfModels": len(models), "availableModels": models}


def load_model(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """ModelLoadRequest. Raises ApiError 150, 152, 153."""
    if data.get("modelID") is None:
        raise ApiError(150, "modelID is missing")
    id = text(data, "modelID", 151)
    before = puppet.wardrobe.load(id, now)
    puppet.changed()
    if before:
        subscriptions.model_loaded(puppet, before, False)
    if puppet.wardrobe.model:
        subscriptions.model_loaded(puppet, puppet.wardrobe.model, True)
    return {"modelID": id}


def move_model(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """MoveModelRequest. Raises ApiError 300, 301, 302."""
    if puppet.wardrobe.model is None:
        raise ApiError(300, "no model is loaded")
    if "timeInSeconds" not in data or "valuesAreRelativeToModel" not in data:
        raise ApiError(301, "timeInSeconds and valuesAreRelativeToModel must be there")
    if not 0 <= real(data, "timeInSeconds", 302) <= 2:
        raise ApiError(302, "timeInSeconds must be between 0 and 2")
    place, relative = puppet.wardrobe.position, flag(data, "valuesAreRelativeToModel")
    limits = {"positionX": 1000, "positionY": 1000, "rotation": 360, "size": 100}
    moved = subscriptions.position(place)
    for key, limit in limits.items():
        if data.get(key) is None:
            continue
        value = real(data, key, 302)
        if abs(value) > limit:
            raise ApiError(302, f"{key} must be between -{limit} and {limit}")
        moved[key] = min(limit, max(-limit, value + (moved[key] if relative else 0.0)))
    place.x, place.y, place.size = moved["positionX"], moved["positionY"], moved["size"]
    place.rotation = moved["rotation"] % 360
    puppet.changed()
    subscriptions.model_moved(puppet)
    return {}


def list_hotkeys(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """HotkeysInCurrentModelRequest. Raises ApiError 152."""
    id = text(data, "modelID")
    model = next((m for m in MODELS.values() if m.id == id), None) if id else puppet.wardrobe.model
    if id and model is None:
        raise ApiError(152, "there is no model with this ID")
    return {
        "modelLoaded": model is not None and model == puppet.wardrobe.model,
        "modelName": model.name if model else "",
        "modelID": model.id if model else "",
        "availableHotkeys": [_hotkey(key) for key in hotkeys(model)] if model else [],
    }


def _hotkey(key: Hotkey) -> dict[str, object]:
    return {
        "name": key.name,
        "type": key.action,
        "description": key.description,
        "file": key.file,
        "hotkeyID": key.id,
        "keyCombination": [],
        "onScreenButtonID": -1,
    }


def trigger(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """HotkeyTriggerRequest. Raises ApiError 201, 202, 203, 207."""
    if text(data, "itemInstanceID"):
        raise ApiError(207, "there is no such item in the scene")
    key = puppet.wardrobe.trigger(text(data, "hotkeyID", 202), now)
    puppet.changed()
    subscriptions.hotkey_triggered(puppet, key)
    return {"hotkeyID": key.id}


def expressions(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """ExpressionStateRequest. Raises ApiError 600, 601."""
    file, model = text(data, "expressionFile", 600), puppet.wardrobe.model
    if file and not file.endswith(ENDING):
        raise ApiError(600, f"expressionFile must end in {ENDING}")
    names = [name for name in EXPRESSIONS if file in ("", name + ENDING)] if model else []
    if file and model and not names:
        raise ApiError(601, "the model has no such expression")
    details = flag(data, "details")
    return {**which(puppet), "expressions": [_expression(puppet, model, n, details) for n in names if model]}


def _expression(puppet: Puppet, model: Model, name: str, details: bool) -> dict[str, object]:
    used = [k for k in hotkeys(model) if k.action == CLEAR or (k.action == TOGGLE and k.target == name)]
    return {
        "name": name,
        "file": name + ENDING,
        "active": name in puppet.wardrobe.active,
        "deactivateWhenKeyIsLetGo": False,
        "autoDeactivateAfterSeconds": False,
        "secondsRemaining": 0,
        "usedInHotkeys": [{"name": key.name, "id": key.id} for key in used] if details else [],
        "parameters": [],
    }


def activate(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """ExpressionActivationRequest. Raises ApiError 2, 650, 651, 652."""
    file = text(data, "expressionFile", 650)
    if not file.endswith(ENDING):
        raise ApiError(650, f"expressionFile must end in {ENDING}")
    if puppet.wardrobe.model is None:
        raise ApiError(652, "no model is loaded")
    name = file.removesuffix(ENDING)
    if name not in EXPRESSIONS:
        raise ApiError(651, "the model has no such expression")
    fade = FADE_S if data.get("fadeTime") is None else real(data, "fadeTime", 2)
    puppet.wardrobe.express(name, flag(data, "active"), min(LONGEST_FADE_S, max(0.0, fade)))
    puppet.changed()
    return {}
