"""The notebooks as a reader sees them: a real JupyterLab server, a real headless Chromium. ``make test-browser``."""
