"""What a request asks for, checked; what is wrong with it in Riva's own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from riva.client.proto.riva_audio_pb2 import AudioEncoding
from riva.client.proto.riva_tts_pb2 import SynthesizeSpeechRequest

from engines.speech.sound import Voice
from engines.speech.text import Word, dictionary, read

RATES = range(8000, 48001)  # Hz


class Invalid(Exception):
    """A request that cannot be served: INVALID_ARGUMENT with this text."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, ready to be spoken."""

    text: str
    words: Sequence[Word]
    style: str
    rate: int  # Hz
    times: bool  # of words


def check(request: SynthesizeSpeechRequest, voice: Voice, most_characters: int) -> Asked:
    """Understand a request. Raises Invalid."""
    if len(request.text) > most_characters:
        raise Invalid(
            f"Error: text has {len(request.text)} characters; at most {most_characters} are accepted"
        )
    if request.encoding not in (AudioEncoding.ENCODING_UNSPECIFIED, AudioEncoding.LINEAR_PCM):
        raise Invalid("Error: Unsupported audio encoding; this server gives LINEAR_PCM")
    if request.sample_rate_hz and request.sample_rate_hz not in RATES:
        raise Invalid("Invalid sample rate")
    if request.HasField("zero_shot_data"):
        raise Invalid("Error: Zero shot is not supported by this model")
    style = _style(request.voice_name, request.language_code, voice)
    words = read(request.text, dictionary(request.custom_dictionary))
    if not words:
        raise Invalid(
            "Error: text is empty" if not request.text.strip() else "Error: text has nothing to speak"
        )
    rate = request.sample_rate_hz or voice.rate
    return Asked(request.text, words, style, rate, request.enable_word_time_offsets)


def _style(name: str, language: str, voice: Voice) -> str:
    """The style that a voice name means; no name is the first voice, no language the voice's own."""
    model, _, style = name.rpartition(".")
    known = not name or (model == voice.name and style in voice.styles)
    if known and (language or voice.language).lower() == voice.language.lower():
        return style or voice.styles[0]
    raise Invalid(
        f"Error: Model is not available on server: Voice {name} for language {language} not found."
        " Please specify the voice name in your SynthesizeSpeechRequest."
    )
