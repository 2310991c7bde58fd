"""Who a plugin is: AuthenticationTokenRequest and AuthenticationRequest.

Everybody on this machine is let in: there is no window in which to ask.
"""

from __future__ import annotations

import base64
import binascii

from engines.avatar.fields import text
from engines.avatar.inputs import Plugin
from engines.avatar.puppet import Client, Puppet
from engines.avatar.wire import ApiError, Data

SHORTEST, LONGEST = 3, 32  # characters of a plugin's and a developer's name
ICON = 128  # pixels


def grant(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """AuthenticationTokenRequest. Raises ApiError 52, 53, 54."""
    names = []
    for key, number in (("pluginName", 52), ("pluginDeveloper", 53)):
        name = text(data, key, number)
        if not SHORTEST <= len(name) <= LONGEST:
            raise ApiError(number, f"{key} must be {SHORTEST} to {LONGEST} characters")
        names.append(name)
    icon = text(data, "pluginIcon", 54)
    if icon and not _is_icon(icon):
        raise ApiError(54, f"pluginIcon must be a PNG or JPG of {ICON}x{ICON} pixels in base64")
    return {"authenticationToken": puppet.tokens.grant(Plugin(*names))}


def authenticate(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """AuthenticationRequest. Raises ApiError 100, 101, 102."""
    token, name, developer = (
        _required(data, key, number)
        for key, number in (("authenticationToken", 100), ("pluginName", 101), ("pluginDeveloper", 102))
    )
    plugin = Plugin(name, developer)
    if not puppet.tokens.knows(plugin, token):
        client.plugin = None
        return {"authenticated": False, "reason": "Token invalid or not given to this plugin."}
    client.plugin = plugin
    return {"authenticated": True, "reason": "Token valid. The plugin is authenticated for this session."}


def _required(data: Data, key: str, number: int) -> str:
    value = text(data, key, number)
    if not value:
        raise ApiError(number, f"{key} is missing")
    return value


def _is_icon(icon: str) -> bool:
    """Whether it is a picture of the right kind; of a PNG the size too (its IHDR chunk)."""
    try:
        picture = base64.b64decode(icon, validate=True)
    except (binascii.Error, ValueError):
        return False
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return picture[16:24] == ICON.to_bytes(4, "big") * 2
    return picture.startswith(b"\xff\xd8\xff")
