"""Probes: light classifiers and regressions on frozen embeddings.

A probe is a frozen dataclass whose fields are its settings and whose `predict` takes a
`Fold` and returns `Predicted`. A new probe is a new module and a line in `registry`.
"""
