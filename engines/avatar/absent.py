"""Answers on what a puppet of drawn lines does not have: meshes, items, physics, effects, NDI.

A plugin that asks gets the empty list or the error that VTube Studio gives for a scene without them.
"""

from __future__ import annotations

from collections.abc import Callable

from engines.avatar.fields import flag, section, text
from engines.avatar.looks import which
from engines.avatar.puppet import Client, Puppet
from engines.avatar.wire import ApiError, Data

PERMISSIONS = ("LoadCustomImagesAsItems",)

Answer = Callable[[Puppet, Client, Data, float], Data]


def no(number: int, message: str) -> Answer:
    """An answer that is always this ApiError."""

    def answer(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
        raise ApiError(number, message)

    return answer


def meshes(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """ArtMeshListRequest."""
    return {
        "modelLoaded": puppet.wardrobe.model is not None,
        "numberOfArtMeshNames": 0,
        "numberOfArtMeshTags": 0,
        "artMeshNames": [],
        "artMeshTags": [],
        "numberOfArtMeshGroups": 0,
        "artMeshGroups": [],
    }


def tint(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """ColorTintRequest. Raises ApiError 250, 251."""
    if puppet.wardrobe.model is None:
        raise ApiError(250, "no model is loaded")
    if not section(data, "colorTint") or "artMeshMatcher" not in data:
        raise ApiError(251, "colorTint and artMeshMatcher must be there")
    return {"matchedArtMeshes": 0}


def items(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """ItemListRequest."""
    return {
        "itemsInSceneCount": 0,
        "totalItemsAllowedCount": 0,
        "canLoadItemsRightNow": False,
        "availableSpots": [],
        "itemInstancesInScene": [],
        "availableItemFiles": [],
    }


def unload_items(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """ItemUnloadRequest."""
    return {"unloadedItems": []}


def move_items(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """ItemMoveRequest: each item's own refusal."""
    asked = data.get("itemsToMove")
    ids = [i.get("itemInstanceID") for i in asked if isinstance(i, dict)] if isinstance(asked, list) else []
    return {"movedItems": [{"itemInstanceID": id, "success": False, "errorID": 900} for id in ids]}


def physics(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """GetCurrentModelPhysicsRequest."""
    return {
        **which(puppet),
        "modelHasPhysics": False,
        "physicsSwitchedOn": False,
        "usingLegacyPhysics": False,
        "physicsFPSSetting": -1,
        "baseStrength": 0,
        "baseWind": 0,
        "apiPhysicsOverrideActive": False,
        "apiPhysicsOverridePluginName": "",
        "physicsGroups": [],
    }


def ndi(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """NDIConfigRequest: it stays off."""
    return {
        "setNewConfig": flag(data, "setNewConfig"),
        "ndiActive": False,
        "useNDI5": False,
        "useCustomResolution": False,
        "customWidthNDI": -1,
        "customHeightNDI": -1,
    }


def effects(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """PostProcessingListRequest."""
    return {
        "postProcessingSupported": False,
        "postProcessingActive": False,
        "canSendPostProcessingUpdateRequestRightNow": False,
        "restrictedEffectsAllowed": False,
        "presetIsActive": False,
        "activePreset": "",
        "presetCount": 0,
        "activeEffectCount": 0,
        "effectCountBeforeFilter": 0,
        "configCountBeforeFilter": 0,
        "effectCountAfterFilter": 0,
        "configCountAfterFilter": 0,
        "postProcessingEffects": [],
        "postProcessingPresets": [],
    }


def permissions(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """PermissionRequest: none is granted, there is nothing that they allow. Raises ApiError 1100."""
    wanted = text(data, "requestedPermission", 1100)
    if wanted and wanted not in PERMISSIONS:
        raise ApiError(1100, "there is no such permission")
    return {
        "grantSuccess": False,
        "requestedPermission": wanted,
        "permissions": [{"name": name, "granted": False} for name in PERMISSIONS],
    }
