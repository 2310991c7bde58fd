"""The embeddings engine: MiniLM on the OpenAI embeddings wire, a process of its own."""
