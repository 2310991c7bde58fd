"""The whole face at a moment: idle motion, attention, mood and the speaking mouth, mixed. Pure.

Every input is eased towards its target with a time constant of its own, so nothing snaps, whatever the events
do. Names and ranges are VTube Studio's input parameters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from random import Random

from glue.stage.idle import Blink, Gaze, Sway, breath
from glue.stage.lipsync import CLOSED
from glue.stage.mood import Mood


class Attention(Enum):
    """Where her mind is."""

    IDLE = "idle"  # reads chat, looks about
    THINKING = "thinking"  # looks aside
    SPEAKING = "speaking"  # looks at the camera


HOLD = 2.2  # seconds that a mood stays after it was last asked for
LONGEST_STEP = 0.1  # seconds; a loop that stalled for longer goes on as if it had been this
EASE = {  # seconds: time constants; what is not named is taken as it is
    "FaceAngleX": 0.22,
    "FaceAngleY": 0.16,
    "FaceAngleZ": 0.28,
    "gaze": 0.025,
    "mood": 0.12,
    "energy": 0.08,
}
# What a mood adds, at full strength: smile, brows, eye opening, head turn up (degrees), tilt (degrees).
MOODS: dict[Mood, tuple[float, float, float, float, float]] = {
    Mood.LAUGH: (0.45, 0.15, -0.25, 4.0, 3.0),
    Mood.LOVE: (0.40, 0.10, -0.15, -2.0, 7.0),
    Mood.ANGRY: (-0.35, -0.35, -0.10, -5.0, 0.0),
    Mood.SAD: (-0.40, 0.20, -0.25, -7.0, -4.0),
    Mood.SURPRISED: (0.05, 0.40, 0.20, 4.0, 0.0),
    Mood.SMUG: (0.25, 0.10, -0.30, 3.0, -5.0),
    Mood.ASKING: (0.05, 0.20, 0.05, 2.0, 8.0),
}
CALM = (0.0, 0.0, 0.0, 0.0, 0.0)


class Face:
    """One character's face. `pose()` once a tick, with a time that does not run backwards."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._blink, self._gaze = Blink(rng), Gaze(rng)
        self._sway = [Sway(rng) for _ in range(4)]
        self._last: float | None = None
        self._dt = 0.0
        self._eased: dict[str, float] = {}
        self._mood: Mood | None = None
        self._mood_until = 0.0
        self.base: Mood | None = None  # what she is in where her words ask for nothing else
        self.neutral = False  # no mood shows, whatever is asked for
        self._attention = Attention.IDLE
        self._aside = 1.0

    def feel(self, mood: Mood, now: float) -> None:
        """Take on a mood for a while; it fades by itself."""
        self._mood, self._mood_until = mood, now + HOLD

    def mood(self, now: float) -> Mood | None:
        """The mood that she is in."""
        if self.neutral:
            return None
        return self._mood if now < self._mood_until else self.base

    def pose(self, now: float, mouth: Mapping[str, float], attention: Attention) -> dict[str, float]:
        """All inputs at `now` (seconds). `mouth` as MouthTrack.at() gives it."""
        self._dt = min(LONGEST_STEP, max(0.0, now - self._last)) if self._last is not None else 0.0
        self._last = now
        if attention is not self._attention:
            self._attention, self._aside = attention, self._rng.choice((-1.0, 1.0))
        mood = self.mood(now)
        feeling = [
            self._ease(f"mood{i}", value, EASE["mood"])
            for i, value in enumerate(MOODS[mood] if mood else CALM)
        ]
        energy = self._ease("energy", mouth["VoiceVolume"], EASE["energy"])
        x, y = self._look(now)
        return {
            **self._head(now, x, y, energy, feeling),
            **self._eyes(now, x, y, energy, feeling),
            **self._mouth(mouth, feeling),
        }

    def _look(self, now: float) -> tuple[float, float]:
        """The gaze, -1 to 1."""
        reach = {Attention.IDLE: 0.45, Attention.THINKING: 0.15, Attention.SPEAKING: 0.12}[self._attention]
        x, y = self._gaze.at(now, reach)
        if self._attention is Attention.THINKING:
            x, y = x + 0.55 * self._aside, y + 0.35
        return self._ease("gaze x", x, EASE["gaze"]), self._ease("gaze y", y, EASE["gaze"])

    def _head(self, now: float, x: float, y: float, energy: float, feeling: list[float]) -> dict[str, float]:
        """The head follows the eyes, nods and leans with the voice, and sways; degrees, and VTS's units."""
        turn, nod, tilt, lean = (sway.at(now) for sway in self._sway)
        still = 0.7 if self._attention is Attention.SPEAKING else 1.0
        thinking = 5.0 * self._aside if self._attention is Attention.THINKING else 0.0
        targets = {
            "FaceAngleX": 6.0 * turn * still + 9.0 * x,
            "FaceAngleY": 3.5 * nod * still + 7.0 * y - 6.0 * energy + feeling[3],
            "FaceAngleZ": 4.0 * tilt + 4.0 * energy * turn + feeling[4] + thinking,
        }
        head = {name: self._ease(name, value, EASE[name]) for name, value in targets.items()}
        return head | {
            "FacePositionX": 1.2 * lean,
            "FacePositionY": 0.5 * breath(now) + 0.4 * nod,
            "SparkBreath": breath(now),  # ours; the avatar's adapter makes it
            "FacePositionZ": 0.5 * energy,
        }

    def _eyes(self, now: float, x: float, y: float, energy: float, feeling: list[float]) -> dict[str, float]:
        opening = (0.82 + feeling[2] + 0.05 * y) * (1 - self._blink.closed(now))
        brows = unit(0.5 + feeling[1] + 0.12 * energy + 0.05 * y)
        return {
            "EyeOpenLeft": unit(opening),
            "EyeOpenRight": unit(opening),
            "EyeLeftX": x,
            "EyeLeftY": y,
            "EyeRightX": x,
            "EyeRightY": y,
            "Brows": brows,
            "BrowLeftY": brows,
            "BrowRightY": unit(brows + 0.03 * self._sway[3].at(now)),
        }

    def _mouth(self, mouth: Mapping[str, float], feeling: list[float]) -> dict[str, float]:
        """The mouth follows the sound without any easing here: the track has its attack and release."""
        smile = unit(0.55 + feeling[0] * (1 - 0.3 * mouth["MouthOpen"]) + mouth["MouthSmile"])
        voice = {name: mouth[name] for name in CLOSED if name.startswith("Voice")}
        return voice | {
            "MouthOpen": mouth["MouthOpen"],
            "MouthSmile": smile,
            "MouthX": 0.0,
            "VoiceVolumePlusMouthOpen": mouth["MouthOpen"],
            "VoiceFrequencyPlusMouthSmile": smile,
        }

    def _ease(self, name: str, target: float, constant: float) -> float:
        before = self._eased.get(name, target)
        self._eased[name] = before + (target - before) * (1 - math.exp(-self._dt / constant))
        return self._eased[name]


def unit(x: float) -> float:
    """Within 0-1."""
    return min(1.0, max(0.0, x))
