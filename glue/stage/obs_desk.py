"""What is asked of OBS, in its words. Everything blocks (obs_link): the adapter calls it in a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from glue.broadcast_events import HighlightMarked
from glue.errors import Refused
from glue.stage.obs_cues import Cue, State
from glue.stage.obs_health import Sample
from glue.stage.obs_link import NO_SUCH_SOURCE, PART, Answer, Denied, Link
from glue.stage.obs_marks import marked

CURE = "cure: python launch.py +show=obs_setup makes all, or name yours:"

NO_REPLAY = "OBS saves no replay of a highlight; cure: broadcast.start=[replay]"


class Desk:
    """OBS's knobs that the show turns. Only what differs from the last cue is sent: what the user of OBS
    changes by hand stays until the show goes on. `lacking` collects lines, with the cure."""

    OUTPUTS: ClassVar[Mapping[str, tuple[str, str, str]]] = {
        "stream": ("GetStreamStatus", "StartStream", "StopStream"),
        "record": ("GetRecordStatus", "StartRecord", "StopRecord"),
        "replay": ("GetReplayBufferStatus", "StartReplayBuffer", "StopReplayBuffer"),
    }

    def __init__(
        self,
        link: Link,
        scenes: Mapping[State, str],
        caption: str,
        playing: str,
        voice: str,
        transition: str,
        start: Sequence[str],
        run_dir: Path,
    ) -> None:
        self._link, self._scenes = link, scenes
        self._caption, self._playing, self._voice = caption, playing, voice
        self._transition, self._run_dir = transition, run_dir
        self._sent: dict[str, object] = {}
        self._start = list(start)  # with the show, and again after OBS was away
        self._started: set[str] = set()
        self._running: set[str] = set()
        self.lacking: set[str] = set()

    def learn(self) -> None:
        """After connecting: what is there, and what of the config is not. Raises PortError."""
        self._sent = {"mute": self._sent.get("mute", False)}  # what its user has muted stays so
        self._running.clear()  # what does not run yet was stopped by nobody: OBS may have been started anew
        scenes = [str(scene["sceneName"]) for scene in self._link.ask("GetSceneList")["scenes"]]
        inputs = [str(source["inputName"]) for source in self._link.ask("GetInputList")["inputs"]]
        missing = [name for name in self._scenes.values() if name and name not in scenes]
        wanted = (self._caption, self._playing, self._voice)
        missing += [name for name in wanted if name and name not in inputs]
        if missing:
            named, has = "', '".join(missing), "', '".join(reversed(scenes[-12:]))
            self.lacking.add(
                f"OBS has no '{named}'; its scenes are '{has}'; {CURE} broadcast.scenes, .caption"
            )
        name = self._transition
        if name and not self._try("SetCurrentSceneTransition", transitionName=name):
            self.lacking.add(f"OBS has no transition '{name}'; cure: broadcast.transition=NAME")
        for output in self._start:
            self._begin(output)

    def follow(self, cue: Cue) -> None:
        """Show what the show wants. Raises PortError."""
        twins = self._scenes.get(State.CHATTING) if cue.state is State.TWINS else None
        if name := self._scenes.get(cue.state) or twins:
            self._once("scene", name, "SetCurrentProgramScene", sceneName=name)
        texts = {"caption": (self._caption, cue.caption), "playing": (self._playing, cue.playing)}
        for knob, (source, text) in texts.items():
            if source:
                settings: dict[str, Any] = {"inputName": source, "inputSettings": {"text": text}}
                self._once(knob, text, "SetInputSettings", **settings)
        if self._voice:
            words: dict[str, Any] = {"inputName": self._voice, "inputMuted": cue.muted}
            self._once("mute", cue.muted, "SetInputMute", **words)

    def sample(self, now: float) -> Sample:
        """OBS's counters. Raises PortError."""
        stream, stats = self._link.ask("GetStreamStatus"), self._link.ask("GetStats")
        streaming = self._runs("stream", stream)
        return Sample(
            now,
            wanted="stream" in self._started,
            streaming=streaming,
            reconnecting=bool(stream["outputReconnecting"]),
            sent=int(stream["outputBytes"]),
            congestion=float(stream.get("outputCongestion", 0.0)),  # since obs-websocket 5.0.1
            skipped=int(stream["outputSkippedFrames"]),
            frames=int(stream["outputTotalFrames"]),
            late=int(stats["renderSkippedFrames"]),
            drawn=int(stats["renderTotalFrames"]),
            recording=self._runs("record", self._link.ask("GetRecordStatus")),
            scene=str(self._link.ask("GetCurrentProgramScene")["currentProgramSceneName"]),
            fps=float(stats["activeFps"]),
        )

    def mark(self, why: str, now: float) -> HighlightMarked:
        """Mark a highlight wherever OBS can, and in a file beside the recording. Raises PortError."""
        record = self._link.ask("GetRecordStatus")
        if not record["outputActive"]:
            return HighlightMarked(now, why, None, False, self._saved(marked=False))
        recorded, size = record["outputDuration"] / 1000, int(record.get("outputBytes", 0))
        chapter = self._try("CreateRecordChapter", chapterName=why)  # since 30.2, in Hybrid MP4
        try:
            directory = str(self._link.ask("GetRecordDirectory")["recordDirectory"])
        except Denied:
            directory = ""
        try:
            file = str(marked(directory, size, self._run_dir, recorded, why))
        except OSError as error:
            self.lacking.add(
                f"no marks beside the recording: {error.strerror}; cure: OBS's folder for recordings"
            )
            file = ""
        saved = self._saved(marked=chapter or bool(file))
        return HighlightMarked(now, why, recorded, chapter, saved, file)

    def _saved(self, marked: bool) -> bool:
        """A replay of a highlight. Who only records, where it is `marked`, lacks none."""
        saved = self._try("SaveReplayBuffer")
        if not saved and ("replay" in self._start or not marked):
            self.lacking.add(NO_REPLAY)
        return saved

    def picture(self, source: str, longest: int) -> str:
        """A JPEG in a data: address of a source, "" for the program scene. Raises PortError."""
        name = source or str(self._link.ask("GetCurrentProgramScene")["currentProgramSceneName"])
        words = {"sourceName": name, "imageFormat": "jpg", "imageWidth": longest}
        try:
            answer: Answer = self._link.ask("GetSourceScreenshot", **words)
        except Denied as error:
            if error.code == NO_SUCH_SOURCE:
                raise Refused(PART, f"OBS has no source '{name}'; cure: eyes.source=obs:NAME") from error
            raise
        return str(answer["imageData"])

    def leave(self, cue: Cue) -> None:
        """The last cue; what the show started is stopped. Raises PortError."""
        self.follow(cue)
        for output in self._started:
            self._try(self.OUTPUTS[output][2])

    def _begin(self, output: str) -> None:
        status, start, _ = self.OUTPUTS[output]
        try:
            if not self._link.ask(status)["outputActive"]:
                self._link.ask(start)
                self._started.add(output)
        except Denied as error:
            self.lacking.add(f"{error.why}; cure: OBS's Settings > Output, or broadcast.start=[]")

    def _runs(self, output: str, status: Answer) -> bool:
        """Whether it does. What somebody has stopped is not started again: they may be private by now."""
        if status["outputActive"]:
            self._running.add(output)
        elif output in self._running and output in self._start:
            self._start.remove(output)
        return bool(status["outputActive"])

    def _once(self, knob: str, value: object, request: str, **words: object) -> None:
        if self._sent.get(knob) != value and self._try(request, **words):
            self._sent[knob] = value

    def _try(self, request: str, **words: object) -> bool:
        """Ask for what the show can do without. Raises what ends the connection."""
        try:
            self._link.ask(request, **words)
        except Denied:
            return False
        return True
