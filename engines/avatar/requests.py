"""The table of all requests, and the way from a frame to its answer."""

from __future__ import annotations

from engines.avatar import about, absent, access, looks, subscriptions, values
from engines.avatar.absent import Answer, no
from engines.avatar.puppet import Client, Puppet
from engines.avatar.wire import ApiError, answer, parse, refusal

OPEN: dict[str, Answer] = {  # before a plugin has authenticated
    "APIState": about.api_state,
    "AuthenticationToken": access.grant,
    "Authentication": access.authenticate,
}
KNOWN: dict[str, Answer] = {
    "Statistics": about.statistics,
    "VTSFolderInfo": about.folders,
    "FaceFound": about.face_found,
    "SceneColorOverlayInfo": about.scene_color,
    "CurrentModel": looks.current_model,
    "AvailableModels": looks.available_models,
    "ModelLoad": looks.load_model,
    "MoveModel": looks.move_model,
    "HotkeysInCurrentModel": looks.list_hotkeys,
    "HotkeyTrigger": looks.trigger,
    "ExpressionState": looks.expressions,
    "ExpressionActivation": looks.activate,
    "InjectParameterData": values.inject,
    "InputParameterList": values.inputs,
    "ParameterValue": values.one,
    "Live2DParameterList": values.live2d,
    "ParameterCreation": values.create,
    "ParameterDeletion": values.delete,
    "EventSubscription": subscriptions.subscribe,
    "ArtMeshList": absent.meshes,
    "ArtMeshSelection": no(1002, "the model has no such ArtMesh"),
    "ColorTint": absent.tint,
    "ItemList": absent.items,
    "ItemLoad": no(751, "there is no such item"),
    "ItemUnload": absent.unload_items,
    "ItemAnimationControl": no(850, "there is no such item in the scene"),
    "ItemMove": absent.move_items,
    "ItemSort": no(1250, "there is no such item in the scene"),
    "ItemPin": no(1050, "there is no such item in the scene"),
    "GetCurrentModelPhysics": absent.physics,
    "SetCurrentModelPhysics": no(701, "the model has no physics"),
    "NDIConfig": absent.ndi,
    "PostProcessingList": absent.effects,
    "PostProcessingUpdate": no(1200, "there is no post-processing"),
    "Permission": absent.permissions,
}


def respond(puppet: Puppet, client: Client, frame: str | bytes, now: float) -> str:
    """The text that answers a frame, whatever is in it."""
    id = ""
    try:
        request = parse(frame)
        id = request.id
        name = request.kind.removesuffix("Request")
        if name == request.kind or (name not in OPEN and name not in KNOWN):
            raise ApiError(7, f"there is no request '{request.kind[:64]}'")
        if name in KNOWN:
            client.known()
        handle = OPEN.get(name) or KNOWN[name]
        return answer(id, f"{name}Response", handle(puppet, client, request.data, now))
    except ApiError as error:
        error.id = error.id or id
        return refusal(error)
