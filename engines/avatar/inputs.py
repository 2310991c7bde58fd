"""VTube Studio's own input parameters: names, ranges, and what each is while nobody says anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Plugin(NamedTuple):
    """Who asks, as it called itself when it got its token."""

    name: str
    developer: str


@dataclass(frozen=True, slots=True)
class Input:
    """One input parameter. `owner` is the plugin that made it; None: it is built in."""

    name: str
    low: float
    high: float
    rest: float  # its value while nobody controls it
    owner: Plugin | None = None

    def clamped(self, value: float) -> float:
        """What the model makes of it: a built-in input ends at its range, a plugin's own has no ends."""
        return value if self.owner else min(self.high, max(self.low, value))


FINGERS = ("1_Thumb", "2_Index", "3_Middle", "4_Ring", "5_Pinky")


def _table() -> dict[str, tuple[float, float, float]]:
    """Name: lowest, highest, at rest. At rest the eyes are open and the mouth is calm, so that a plugin that
    moves only the mouth does not put her to sleep."""
    axes = "XYZ"
    face = {f"FaceAngle{a}": (-30.0, 30.0, 0.0) for a in axes}
    face |= {"FacePositionX": (-15.0, 15.0, 0.0), "FacePositionY": (-15.0, 15.0, 0.0)}
    face |= {"FacePositionZ": (-10.0, 10.0, 0.0)}
    face |= {f"EyeOpen{side}": (0.0, 1.0, 0.82) for side in ("Left", "Right")}
    face |= {f"Eye{side}{a}": (-1.0, 1.0, 0.0) for side in ("Left", "Right") for a in "XY"}
    face |= dict.fromkeys(("Brows", "BrowLeftY", "BrowRightY"), (0.0, 1.0, 0.5))
    face |= {"MouthOpen": (0.0, 1.0, 0.0), "MouthSmile": (0.0, 1.0, 0.55), "MouthX": (-1.0, 1.0, 0.0)}
    face |= dict.fromkeys(("CheekPuff", "TongueOut", "FaceAngry"), (0.0, 1.0, 0.0))
    voice = {f"Voice{name}": (0.0, 1.0, 0.0) for name in (*"AIUEO", "Volume", "Frequency")}
    voice |= {"VoiceSilence": (0.0, 1.0, 1.0), "VoiceVolumePlusMouthOpen": (0.0, 1.0, 0.0)}
    voice |= {"VoiceFrequencyPlusMouthSmile": (0.0, 1.0, 0.55)}
    mouse = {f"MousePosition{a}": (-1.0, 1.0, 0.0) for a in "XY"}
    return face | voice | mouse | _hands()


def _hands() -> dict[str, tuple[float, float, float]]:
    found = dict.fromkeys(("HandLeftFound", "HandRightFound", "BothHandsFound"), (0.0, 1.0, 0.0))
    found |= {"HandDistance": (0.0, 10.0, 0.0)}
    for side in ("HandLeft", "HandRight"):
        found |= {f"{side}Position{a}": (-10.0, 10.0, 0.0) for a in "XYZ"}
        found |= {f"{side}Angle{a}": (-180.0, 180.0, 0.0) for a in "XZ"}
        found |= {f"{side}Open": (0.0, 1.0, 0.0)}
        found |= {f"{side}Finger_{finger}": (0.0, 1.0, 0.0) for finger in FINGERS}
    return found


BUILT_IN = {name: Input(name, *numbers) for name, numbers in _table().items()}
