"""The key of the language model's server: any page that a browser here has open reaches its port."""

from __future__ import annotations

import os

VARIABLE = "SPARK_LLM_KEY"  # of the environment; launch.py sets a new one for each start


def key() -> str:
    """The key, "" where the server answers everybody on this machine."""
    return os.environ.get(VARIABLE, "")


def authorised() -> dict[str, str]:
    """The headers of a request to it."""
    return {"Authorization": f"Bearer {key()}"} if key() else {}
