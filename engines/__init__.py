"""Whatever loads a neural model or stands in for a neighbour; each engine is a process of its own."""
