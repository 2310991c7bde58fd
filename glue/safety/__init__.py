"""What may come in and what may go out: pure rules over text, without I/O on the way of a line."""
