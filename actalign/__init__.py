"""Zero-shot recognition of fine-grained actions by aligning frames with an ordered script of sub-actions."""

__version__ = "0.1.0"
