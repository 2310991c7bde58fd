"""A body in a Minecraft world, a client of the game wire; and a small world where there is no server."""
