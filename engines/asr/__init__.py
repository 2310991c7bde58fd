"""Hears: Riva's speech recognition wire over Whisper and a voice detector."""
