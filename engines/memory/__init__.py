"""The memory engine: Milvus Lite on the Milvus wire, a process of its own."""
