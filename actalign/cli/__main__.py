"""``python -m actalign.cli``."""

from actalign.cli import main

main()
