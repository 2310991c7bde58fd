"""The speech server: text in over the Riva wire, sound out, as it is made."""
