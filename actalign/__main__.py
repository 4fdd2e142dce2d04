"""``python -m actalign`` is the command ``actalign``."""

from actalign.cli import main

if __name__ == "__main__":
    main()
