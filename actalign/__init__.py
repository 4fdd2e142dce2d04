"""Zero-shot recognition of fine-grained actions by aligning frames with an ordered script of sub-actions."""

__version__ = "0.1.0"


def __dir__() -> list[str]:
    return [*globals(), "classify"]


def __getattr__(name: str) -> object:
    """``actalign.classify``, found when it is first asked for, so that importing the package imports nothing else."""
    if name == "classify":
        return __import__("actalign.classification", fromlist=["classify"]).classify
    raise AttributeError(f"module 'actalign' has no attribute {name!r}")
