"""What a voice server is asked, and what it has shown that it will not take: then it is asked without."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from riva.client.proto.riva_audio_pb2 import AudioEncoding
from riva.client.proto.riva_tts_pb2 import RivaSynthesisConfigResponse, SynthesizeSpeechRequest

from glue.romanised import romanised

UNSPEAKABLE = str.maketrans("*{}<>", "     ")  # Magpie chokes on them


class Extra(StrEnum):
    """What a request may do without, in the order in which it is given up."""

    EMOTION = "emotion"  # part of the voice's name
    CONFIGURATION = "configuration"
    DICTIONARY = "dictionary"
    TIMES = "word_times"


class Asking:
    """Makes requests. `refused` is what this server has refused so far."""

    def __init__(
        self,
        language: str,
        rate: int,
        word_times: bool,
        dictionary: Mapping[str, str],
        configuration: Mapping[str, str],
    ) -> None:
        self._language, self._rate, self._times = language, rate, word_times
        self._dictionary = ",".join(f"{word}  {ipa}" for word, ipa in dictionary.items())
        self._configuration = configuration
        self.refused: set[Extra] = set()

    def extras(self, emotion: bool) -> list[Extra]:
        """What a request would have beyond the bare text, given what is known of the server."""
        wanted = {
            Extra.EMOTION: emotion,
            Extra.CONFIGURATION: bool(self._configuration),
            Extra.DICTIONARY: bool(self._dictionary),
            Extra.TIMES: self._times,
        }
        return [extra for extra, has in wanted.items() if has and extra not in self.refused]

    def request(self, text: str, voice: str, extras: Collection[Extra]) -> SynthesizeSpeechRequest:
        """A request with these extras."""
        return SynthesizeSpeechRequest(
            text=text,
            voice_name=voice,
            language_code=self._language,
            encoding=AudioEncoding.LINEAR_PCM,
            sample_rate_hz=self._rate,
            custom_dictionary=self._dictionary if Extra.DICTIONARY in extras else "",
            custom_configuration=self._configuration if Extra.CONFIGURATION in extras else {},
            enable_word_time_offsets=Extra.TIMES in extras,
        )


def spoken(text: str, language: str) -> str:
    """A clause in letters that a voice of `language` reads, without the characters that no voice can say."""
    return " ".join(romanised(text, language).translate(UNSPEAKABLE).split())


def voices(config: RivaSynthesisConfigResponse) -> frozenset[str]:
    """The full names of a server's voices: `voice_name` with each of its `subvoices`, as Riva's own clients
    put them together. A NIM has an emotion as a name's last part: Magpie-Multilingual.EN-US.Aria.Happy."""
    found = set()
    for model in config.model_config:
        name, listed = model.parameters["voice_name"], model.parameters["subvoices"]
        subvoices = [each.split(":")[0].strip() for each in listed.split(",") if each.strip()]
        found |= {f"{name}.{each}" for each in subvoices} or ({name} if name else set())
    return frozenset(found)
