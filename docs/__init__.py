"""The site: executed notebooks, figures and the package's docstrings as static pages; ``make site`` builds it."""
