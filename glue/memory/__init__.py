"""What she remembers: a file that is the truth, and an index over it that can be made again."""
