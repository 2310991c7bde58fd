"""A language model on the OpenAI wire: llama.cpp's own server."""
