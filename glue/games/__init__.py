"""both ways."""
