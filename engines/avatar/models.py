"""The models that she can be, what is on, and their expressions and hotkeys. Pure: moments in seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from engines.avatar.wire import ApiError

EXPRESSIONS = ("happy", "laugh", "love", "angry", "sad", "surprised", "smug", "shy")
ENDING = ".exp3.json"
LOAD_COOLDOWN_S = 2.0
HOTKEY_COOLDOWN_S = 5 / 60  # five frames
LONGEST_FADE_S, FADE_S = 2.0, 0.25
TOGGLE, CLEAR, PALETTE = "ToggleExpression", "RemoveAllExpressions", "ArtMeshColorPreset"


def _id(name: str) -> str:
    """32 hexadecimal digits that stay the same from start to start."""
    return hashlib.md5(f"spark-vtuber/{name}".encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Model:
    """One of her looks."""

    name: str
    palette: str

    @property
    def id(self) -> str:
        return _id(self.name)


@dataclass(frozen=True, slots=True)
class Hotkey:
    """`target` is an expression or a palette, or "" where the action needs none."""

    id: str
    name: str
    action: str
    description: str
    target: str = ""

    @property
    def file(self) -> str:
        return self.target + ENDING if self.action == TOGGLE else ""


MODELS = {m.name: m for m in (Model("Spark", "main"), Model("Spark Evil", "evil"))}
PALETTES = tuple(m.palette for m in MODELS.values())


def hotkeys(model: Model) -> list[Hotkey]:
    """What can be triggered while `model` is on."""
    keys = [(name.title(), TOGGLE, f"Toggles the expression {name}", name) for name in EXPRESSIONS]
    keys += [("No Expression", CLEAR, "Ends all expressions", "")]
    keys += [(f"Palette {name}", PALETTE, f"Her {name} colours", name) for name in PALETTES]
    return [Hotkey(_id(f"{model.name}/{name}"), name, *rest) for name, *rest in keys]


@dataclass(slots=True)
class Position:
    """Where the model is, in VTube Studio's coordinates: the window is -1 to 1; degrees; size -100 to 100."""

    x: float = 0.0
    y: float = 0.0
    rotation: float = 0.0
    size: float = 0.0


@dataclass(slots=True)
class Wardrobe:
    """What she has on: the model (None: she is not there), its colours, the expressions with their fades."""

    model: Model | None
    loaded_at: float
    palette: str = ""
    active: dict[str, float] = field(default_factory=dict)  # expression: seconds to fade in, and out
    position: Position = field(default_factory=Position)
    _load_again: float = float("-inf")
    _trigger_again: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.palette = self.model.palette if self.model else PALETTES[0]

    def load(self, id: str, now: float) -> Model | None:
        """Put a model on ("": none). The one that was on. Raises ApiError 152, 153."""
        model = next((m for m in MODELS.values() if m.id == id), None)
        if id and model is None:
            raise ApiError(152, "there is no model with this ID")
        if now < self._load_again:
            raise ApiError(153, f"a model was loaded less than {LOAD_COOLDOWN_S:.0f} seconds ago")
        before, self.model, self._load_again = self.model, model, now + LOAD_COOLDOWN_S
        self.loaded_at, self.active, self.position = now, {}, Position()
        self.palette = model.palette if model else self.palette
        return before

    def express(self, name: str, active: bool, fade_s: float = FADE_S) -> None:
        """Begin or end an expression; it fades out as it faded in."""
        if active:
            self.active[name] = min(LONGEST_FADE_S, max(0.0, fade_s))
        else:
            self.active.pop(name, None)

    def trigger(self, wanted: str, now: float) -> Hotkey:
        """Do what a hotkey does, by its ID or its name in any case. Raises ApiError 201, 202, 203."""
        if self.model is None:
            raise ApiError(201, "no model is loaded")
        keys = hotkeys(self.model)
        key = next((k for k in keys if k.id == wanted), None)
        key = key or next((k for k in keys if k.name.casefold() == wanted.casefold()), None)
        if key is None:
            raise ApiError(202, "the model has no hotkey with this ID or name")
        if now < self._trigger_again.get(key.id, now):
            raise ApiError(203, "this hotkey was triggered less than five frames ago")
        self._trigger_again[key.id] = now + HOTKEY_COOLDOWN_S
        if key.action == TOGGLE:
            self.express(key.target, key.target not in self.active)
        elif key.action == CLEAR:
            self.active.clear()
        else:
            self.palette = key.target
        return key
