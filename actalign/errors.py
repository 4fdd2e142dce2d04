"""The exception this package raises on purpose, and the one kind of it that no one has to mend."""


class ActAlignError(Exception):
    """Something the caller can mend: the message names the value and the next step."""


class LeftOutError(ActAlignError):
    """A result that the data at hand do not give; the message says why."""
