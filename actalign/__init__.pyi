# What __init__.py finds when it is first asked for, for type checkers.
from actalign.classification import classify as classify

__version__: str
