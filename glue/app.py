"""The composition root: the only place that builds adapters (through make) and ties them together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import anyio
from omegaconf import DictConfig, OmegaConf

from glue.director import Director
from glue.errors import ConfigError
from glue.gate import Gate
from glue.journal import Journal
from glue.make import check as check_adapter
from glue.make import make
from glue.mind.persona import Persona
from glue.mind.talk import Talk
from glue.ports import Viewer
from glue.settings import Config, typed
from glue.show import Show
from glue.stage.face import Face
from glue.stage.mixer import Mixer
from glue.stage.performer import Performer
from glue.stage.stand import StageStand
from glue.supervise import supervise
from glue.turn import Member
