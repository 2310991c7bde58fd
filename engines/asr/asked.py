"""What a client asks of the ears, checked; what is wrong with it in Riva's own words."""

from __future__ import annotations

from dataclasses import dataclass

from riva.client.proto.riva_asr_pb2 import EndpointingConfig, RecognitionConfig

from engines.asr.endpoint import Thresholds
from engines.asr.hearing import Settings
from engines.asr.incoming import BadAudio, Form, asked
from engines.asr.options import Options
from engines.asr.whisper import Whisper

LONGEST_MS = 10_000  # of silence that a client may ask for


class Invalid(Exception):
    """A request that cannot be served: INVALID_ARGUMENT with this text."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's config, ready to be served."""

    form: Form
    language: str  # two letters
    times: bool  # of words
    punctuated: bool
    settings: Settings


def check(config: RecognitionConfig, whisper: Whisper, options: Options, online: bool) -> Asked:
    """Understand a config. Raises Invalid."""
    kind = "online" if online else "offline"
    language = (config.language_code or "en-US").lower()
    if config.model and config.model != whisper.name:
        raise Invalid(f"Error: Model is not available on server: {config.model}")
    if language.split("-")[0] not in whisper.languages:
        raise Invalid(f"Error: Unavailable model requested. Lang: {config.language_code}, Type: {kind}")
    try:
        form = asked(config.encoding, config.sample_rate_hertz, config.audio_channel_count)
    except BadAudio as error:
        raise Invalid(str(error)) from error
    return Asked(
        form,
        language.split("-")[0],
        config.enable_word_time_offsets,
        config.enable_automatic_punctuation,
        _settings(config.endpointing_config, options),
    )


def _settings(wish: EndpointingConfig, options: Options) -> Settings:
    """Riva's endpointing words: `stop_history` ends an utterance, `stop_history_eou` makes the guess."""

    def given(name: str, default: float, most: float) -> float:
        if not wish.HasField(name):
            return default
        value = float(getattr(wish, name))
        if not 0 <= value <= most:
            raise Invalid(f"Error: endpointing_config.{name} must be 0 to {most:g}")
        return value

    usual = Thresholds()
    stop = given("stop_history", options.stop_ms, LONGEST_MS)
    stop_open = stop if wish.HasField("stop_history") else options.stop_open_ms
    return Settings(
        interim=options.interim_ms / 1000,
        guess=min(given("stop_history_eou", options.guess_ms, LONGEST_MS), stop) / 1000,
        stop=stop / 1000,
        stop_open=stop_open / 1000,
        longest=options.longest_s,
        thresholds=Thresholds(
            given("start_threshold", usual.start, 1),
            given("stop_threshold", usual.stop, 1),
            given("start_history", usual.start_s * 1000, LONGEST_MS) / 1000,
        ),
    )
