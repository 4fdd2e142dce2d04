"""The one exception this package raises on purpose."""


class ActAlignError(Exception):
    """Something the caller can mend: the message names the value and the next step."""
