"""What a client sends, as samples: raw PCM, a WAV file in pieces, mu-law, A-law; any usual rate.

NVIDIA's own scripts send a WAV file as it is, without saying its encoding or rate.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray
from riva.client.proto.riva_audio_pb2 import AudioEncoding

from engines.asr.detector import RATE, Samples

RATES = range(8000, 48001)  # Hz
HEADER_MOST = 1 << 16  # bytes: a WAV header that has no sound after so much is none
PCM, EXTENSIBLE, A_LAW, MU_LAW = 1, 0xFFFE, 6, 7  # of a WAV file's format field


class BadAudio(Exception):
    """Sound that cannot be read: INVALID_ARGUMENT with this text."""


@dataclass(frozen=True, slots=True)
class Form:
    """How samples are written."""

    law: int = PCM
    rate: int = RATE
    channels: int = 1


def asked(encoding: int, rate: int, channels: int) -> Form:
    """What a request says of its sound, its gaps filled. Raises BadAudio."""
    laws = {
        AudioEncoding.ENCODING_UNSPECIFIED: PCM,
        AudioEncoding.LINEAR_PCM: PCM,
        AudioEncoding.MULAW: MU_LAW,
        AudioEncoding.ALAW: A_LAW,
    }
    if encoding not in laws:
        raise BadAudio("Error: Unsupported audio encoding; this server takes LINEAR_PCM, MULAW and ALAW")
    if rate and rate not in RATES:
        raise BadAudio("Invalid sample rate")
    if channels > 2:
        raise BadAudio(f"Error: {channels} channels; at most 2 are accepted")
    return Form(laws[encoding], rate or RATE, channels or 1)


class Incoming:
    """One stream's bytes to samples at 16 kHz. A RIFF header, where there is one, has the last word."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._head: bytearray | None = bytearray()
        self._rest = b""
        self._resampler: soxr.ResampleStream | None = None

    def feed(self, data: bytes, last: bool = False) -> Samples:
        """The samples that are complete so far. Raises BadAudio."""
        if self._head is not None:
            self._head += data
            data = self._body(last)
        return self._resampled(self._samples(data), last)

    def _body(self, last: bool) -> bytes:
        """What comes after the header, b"" while that is not known. Raises BadAudio."""
        head = bytes(self._head or b"")
        riff = head[:4] == b"RIFF"[: len(head)]
        if riff and not last and len(head) < 4:
            return b""
        if not riff or len(head) < 4:
            self._head = None
            return head
        found = _header(head)
        if found is None:
            if last or len(head) > HEADER_MOST:
                raise BadAudio("Error: the WAV header is damaged or too long")
            return b""
        self._form, start = found
        self._head = None
        return head[start:]

    def _samples(self, data: bytes) -> Samples:
        form = self._form
        whole = self._rest + data
        size = form.channels * (2 if form.law == PCM else 1)
        end = len(whole) - len(whole) % size
        self._rest = whole[end:]
        raw = np.frombuffer(whole[:end], "<i2" if form.law == PCM else np.uint8)
        linear = raw if form.law == PCM else (MU if form.law == MU_LAW else A)[raw]
        mono = linear.reshape(-1, form.channels).astype(np.float32).mean(axis=1)
        return np.asarray(mono / np.float32(32768), np.float32)

    def _resampled(self, sound: Samples, last: bool) -> Samples:
        if self._form.rate == RATE:
            return sound
        if self._resampler is None:
            self._resampler = soxr.ResampleStream(self._form.rate, RATE, 1, "float32", "HQ")
        return np.asarray(self._resampler.resample_chunk(sound, last), np.float32)


def _header(head: bytes) -> tuple[Form, int] | None:
    """A WAV file's form and where its sound begins; None where more bytes are needed. Raises BadAudio."""
    if len(head) >= 12 and head[8:12] != b"WAVE":
        raise BadAudio("Error: a RIFF file that is not WAVE")
    form, at = None, 12
    while at + 8 <= len(head):
        name, size = head[at : at + 4], struct.unpack_from("<I", head, at + 4)[0]
        if name == b"fmt ":
            if at + 24 > len(head):
                return None
            form = _format(head[at + 8 : at + 24])
        if name == b"data":
            if form is None:
                raise BadAudio("Error: the WAV file's sound comes before its format")
            return form, at + 8
        at += 8 + size + size % 2
    return None


def _format(chunk: bytes) -> Form:
    law, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunk)
    law = PCM if law == EXTENSIBLE else law
    if law not in (PCM, A_LAW, MU_LAW) or bits != (16 if law == PCM else 8):
        raise BadAudio("Error: the WAV file must be 16-bit PCM, mu-law or A-law")
    if rate not in RATES or not 1 <= channels <= 2:
        raise BadAudio(f"Error: the WAV file has {rate} Hz and {channels} channels; 8 to 48 kHz, 1 or 2")
    return Form(law, rate, channels)


def _mu_law() -> NDArray[np.int16]:
    """All 256 codes of G.711 mu-law as 16-bit samples."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    size = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return np.where(code & 0x80, 0x84 - size, size - 0x84).astype(np.int16)


def _a_law() -> NDArray[np.int16]:
    """All 256 codes of G.711 A-law as 16-bit samples."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code & 0x70) >> 4, (code & 0x0F) << 4
    size = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.int16)


MU, A = _mu_law(), _a_law()
