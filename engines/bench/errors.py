"""Why a part was not measured."""


class BenchFailed(Exception):
    """A server or a file is not what it should be; one line, with the cure where there is one."""


class Lacking(BenchFailed):
    """The server does not have this part at all: nothing is wrong with it."""
