"""What obs_setup puts into OBS: scenes, the sources in them, where they stand. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from glue.stage.obs_cues import State

# Families of kinds, the best first. OBS appends versions (text_ft2_source_v2), so a beginning is enough.
TEXT = ("text_gdiplus", "text_ft2_source")
COLOUR = ("color_source",)
BROWSER = ("browser_source",)
# Only what asks somebody which window: a whole screen on air by itself would show what is private.
GAME = (
    "game_capture",
    "xcomposite_input",
    "pipewire-window-capture",
    "pipewire-screen-capture",
    "screen_capture",
)
DUSK, NIGHT = 0xFF38182A, 0xFF180E12  # ABGR
TITLES = {
    State.STARTING: "Starting soon",
    State.BRB: "Be right back",
    State.ENDING: "Thank you for watching",
}
# OBS's alignment bits: left 1, right 2, top 4, bottom 8
TOP_LEFT, BOTTOM_RIGHT, BOTTOM_LEFT, BOTTOM, MIDDLE = 5, 10, 9, 8, 0

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """A source in a scene: the point of the canvas (shares of its width and height) at which it is aligned,
    and, where it is scaled, the box that it is fitted into."""

    source: str
    at: tuple[float, float] = (0.0, 0.0)
    align: int = TOP_LEFT
    box: tuple[float, float] | None = None
    grows: bool = True  # to fill its box

    def transform(self, width: int, height: int) -> Json:
        """For SetSceneItemTransform."""
        found: Json = {
            "positionX": self.at[0] * width,
            "positionY": self.at[1] * height,
            "alignment": self.align,
        }
        if self.box is not None:
            found |= {
                "boundsType": "OBS_BOUNDS_SCALE_INNER" if self.grows else "OBS_BOUNDS_MAX_ONLY",
                "boundsAlignment": self.align,
                "boundsWidth": self.box[0] * width,
                "boundsHeight": self.box[1] * height,
            }
        return found


@dataclass(frozen=True, slots=True)
class Source:
    """A source: the families of kinds that do, and its settings. `kept`: settings that follow the config."""

    name: str
    kinds: Sequence[str]
    settings: Mapping[str, Any]
    kept: Sequence[str] = ()
    otherwise: Sequence[str] = ()  # kinds that stand in for it


@dataclass(frozen=True, slots=True)
class Layout:
    """All of it; a scene's sources from the bottom up."""

    sources: Sequence[Source]
    scenes: Mapping[str, Sequence[Placed]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pages:
    """Addresses of what browser sources show: the stage's page, a game's (empty for a capture), and the
    stage's page for each of two alone."""

    stage: str
    game: str = ""
    twins: Sequence[str] = ()


def layout(
    scenes: Mapping[State, str], caption: str, playing: str, pages: Pages, size: tuple[int, int]
) -> Layout:
    """The collection for a canvas of `size` pixels. A scene or text without a name is left out."""
    width, height = size
    dusk, night = ({"color": colour, "width": width, "height": height} for colour in (DUSK, NIGHT))
    game = Source("Spark Capture", GAME, night, otherwise=COLOUR)
    if pages.game:
        game = Source("Spark Board", BROWSER, _browser(pages.game, size), kept=("url",))
    shared = [
        Source("Spark Backdrop", COLOUR, dusk),
        Source("Spark Avatar", BROWSER, _browser(pages.stage, size), kept=("url",)),
        game,
    ]
    sides = ("Spark Left", "Spark Right")
    half = (width // 2, height)
    for name, page in zip(sides, pages.twins, strict=False):
        shared.append(Source(name, BROWSER, _browser(page, half), kept=("url",)))
    titles = {state: Source(f"Spark {text}", TEXT, title(text, size)) for state, text in TITLES.items()}
    words = [Source(name, TEXT, subtitle(size)) for name in (caption,) if name]
    words += [Source(name, TEXT, title("", size, 24)) for name in (playing,) if name]
    placed: dict[str, Sequence[Placed]] = {}
    for state, scene in scenes.items():
        if not scene:
            continue
        if state in titles:
            placed[scene] = [Placed("Spark Backdrop"), Placed(titles[state].name, (0.5, 0.5), MIDDLE)]
            continue
        if state is State.GAME:  # beside her, who stands in the corner
            top = [Placed(playing, (0.03, 0.04))] if playing else []
            said = [Placed(caption, (0.03, 0.95), BOTTOM_LEFT, (0.62, 0.3), grows=False)] if caption else []
            corner = Placed("Spark Avatar", (1.0, 1.0), BOTTOM_RIGHT, (0.36, 0.5))
            placed[scene] = [Placed(game.name, box=(1.0, 1.0)), corner, *top, *said]
            continue
        said = [Placed(caption, (0.5, 0.95), BOTTOM)] if caption else []
        stage = [Placed("Spark Backdrop"), Placed("Spark Avatar")]
        # the page that has their voices is heard behind the backdrop
        if state is State.TWINS and pages.twins:
            stage = [*reversed(stage), *(Placed(name, (n / 2, 0.0)) for n, name in enumerate(sides))]
        placed[scene] = [*stage, *said]
    return Layout([*shared, *titles.values(), *words], placed)


def _browser(page: str, size: tuple[int, int]) -> Json:
    width, height = size
    return {"url": page, "width": width, "height": height, "reroute_audio": True, "fps": 30}


def title(text: str, size: tuple[int, int], part: int = 9) -> Json:
    """Settings of a text, its letters a `part`-th of the canvas high, for either kind of text source."""
    return {"text": text, "outline": True, "font": {"size": size[1] // part, "style": "Bold", "flags": 1}}


def subtitle(size: tuple[int, int]) -> Json:
    """Settings of the captions: as title(), wrapped to most of the canvas's width."""
    width, height = size[0] * 84 // 100, size[1] * 30 // 100
    windows = {"extents": True, "extents_wrap": True, "extents_cx": width, "extents_cy": height}
    return (
        title("", size, 16)
        | windows
        | {"align": "center", "valign": "bottom", "custom_width": width, "word_wrap": True}
    )
