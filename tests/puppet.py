"""A puppet without a server, for tests of its answers: one call is one frame, at a moment of the test's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engines.avatar.models import MODELS, Wardrobe
from engines.avatar.puppet import Client, Puppet
from engines.avatar.requests import respond
from engines.avatar.tokens import Tokens

ME = {"pluginName": "Tester", "pluginDeveloper": "Somebody"}
Answer = dict[str, Any]


def puppet(folder: Path, model: str = "Spark") -> Puppet:
    return Puppet(Wardrobe(MODELS[model], 0.0), Tokens(folder / "tokens.json"), 8023, 0.0)


class Talk:
    """One plugin's connection."""

    def __init__(self, there: Puppet, name: str = "") -> None:
        """`name`: it authenticates under this name; "": it does not."""
        self.there = there
        self.client = Client()
        self.now = 0.0
        there.clients.add(self.client)
        if name:
            me = ME | {"pluginName": name}
            token = self.ask("AuthenticationToken", **me)["authenticationToken"]
            assert self.ask("Authentication", **me, authenticationToken=token)["authenticated"] is True

    def ask(self, kind: str, **data: object) -> Answer:
        """The data of the answer, which is not an error."""
        answer = self.frame(request(kind, data))
        assert answer["messageType"] == f"{kind}Response", answer
        assert answer["requestID"] == "r1"
        return dict(answer["data"])

    def no(self, kind: str, **data: object) -> int:
        """The number of the error that answers."""
        answer = self.frame(request(kind, data))
        assert answer["messageType"] == "APIError", answer
        assert answer["requestID"] == "r1"
        assert answer["data"]["message"]
        return int(answer["data"]["errorID"])

    def frame(self, text: str | bytes) -> Answer:
        """The whole answer to a frame."""
        answer = json.loads(respond(self.there, self.client, text, self.now))
        assert set(answer) == {"apiName", "apiVersion", "timestamp", "requestID", "messageType", "data"}
        return dict(answer)

    def told(self) -> list[tuple[str, Answer]]:
        """The events that came since this was last asked."""
        events = [json.loads(text) for text in self.client.outbox]
        self.client.outbox.clear()
        return [(event["messageType"], event["data"]) for event in events]


def request(kind: str, data: object) -> str:
    """A frame."""
    head = {"apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0", "requestID": "r1"}
    return json.dumps({**head, "messageType": f"{kind}Request", "data": data})
