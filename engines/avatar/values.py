"""Answers on input parameters, and what the model makes of them."""

from __future__ import annotations

from engines.avatar import custom
from engines.avatar.fields import text
from engines.avatar.inputs import BUILT_IN, Input
from engines.avatar.looks import which
from engines.avatar.parameters import injection
from engines.avatar.puppet import Client, Puppet
from engines.avatar.wire import ApiError, Data


def inject(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """InjectParameterDataRequest. Raises ApiError 2, 450 to 455."""
    puppet.parameters.inject(client.known(), injection(data), now)
    puppet.injected.set()
    puppet.changed()
    return {}


def inputs(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """InputParameterListRequest."""
    values = puppet.parameters.values(now)
    found = {made.name: _described(made, values[made.name]) for made in puppet.parameters.all()}
    return {
        **which(puppet),
        "customParameters": [item for name, item in found.items() if name not in BUILT_IN],
        "defaultParameters": [item for name, item in found.items() if name in BUILT_IN],
    }


def one(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """ParameterValueRequest. Raises ApiError 500."""
    made = puppet.parameters.find(text(data, "name", 500))
    if made is None:
        raise ApiError(500, "there is no parameter of this name")
    return _described(made, puppet.parameters.values(now)[made.name])


def live2d(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """Live2DParameterListRequest: each input moves a parameter `Param...` of the model, one to one."""
    if puppet.wardrobe.model is None:
        return {**which(puppet), "parameters": []}
    values = puppet.parameters.values(now)
    found = [(made, _described(made, made.clamped(values[made.name]))) for made in puppet.parameters.all()]
    for made, item in found:
        item["name"] = f"Param{made.name}"
        del item["addedBy"]
    return {**which(puppet), "parameters": [item for _, item in found]}


def create(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """ParameterCreationRequest. Raises ApiError 350 to 356."""
    name = custom.create(puppet.parameters, client.known(), data)
    puppet.changed()
    return {"parameterName": name}


def delete(puppet: Puppet, client: Client, data: Data, now: float) -> Data:
    """ParameterDeletionRequest. Raises ApiError 400 to 403."""
    return {"parameterName": custom.delete(puppet.parameters, client.known(), data)}


def _described(made: Input, value: float) -> dict[str, object]:
    return {
        "name": made.name,
        "addedBy": made.owner.name if made.owner else "VTube Studio",
        "value": value,
        "min": made.low,
        "max": made.high,
        "defaultValue": made.rest,
    }
