"""The chess engine: a board that her opponent and she move on, a game like any other on the game wire."""
