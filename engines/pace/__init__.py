"""The pace of a machine that is not here: a proxy with the OpenAI wire before a small embedded engine."""
