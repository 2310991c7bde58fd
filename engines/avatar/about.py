"""Answers on the program itself."""

from __future__ import annotations

from engines.avatar.puppet import VERSION, Client, Puppet
from engines.avatar.wire import Data

WHITE = {f"color{channel}": 255 for channel in "RGB"}
FOLDERS = {
    "models": "Live2DModels",
    "backgrounds": "Backgrounds",
    "items": "Items",
    "config": "Config",
    "logs": "Logs",
    "backup": "Backup",
}


def api_state(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """APIStateRequest; needs no authentication."""
    return {
        "active": True,
        "vTubeStudioVersion": VERSION,
        "currentSessionAuthenticated": client.plugin is not None,
    }


def statistics(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """StatisticsRequest. The pages draw, each in a window of its own: what is said of it is nominal."""
    return {
        "uptime": round((now - puppet.began) * 1000),
        "framerate": 60,
        "vTubeStudioVersion": VERSION,
        "allowedPlugins": puppet.tokens.plugins(),
        "connectedPlugins": sum(each.plugin is not None for each in puppet.clients),
        "startedWithSteam": False,
        "windowWidth": 1280,
        "windowHeight": 720,
        "windowIsFullscreen": False,
    }


def folders(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """VTSFolderInfoRequest: names only, in VTube Studio too."""
    return FOLDERS


def face_found(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """FaceFoundRequest: there is no camera, so only when a plugin says so."""
    return {"found": puppet.parameters.face_found(now)}


def scene_color(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """SceneColorOverlayInfoRequest: off, and then all colours are white."""
    return {
        "active": False,
        "itemsIncluded": False,
        "isWindowCapture": False,
        "baseBrightness": 0,
        "colorBoost": 0,
        "smoothing": 0,
        **{f"color{of}{channel}": 255 for of in ("Overlay", "Avg") for channel in "RGB"},
        **{f"{part}CapturePart": {"active": False, **WHITE} for part in ("left", "middle", "right")},
    }
