"""How fast, against what, and how much memory: one script per subject, see benchmarks/README.md."""
