"""Comparisons: every pair of encoders, every metric, tested as the design allows."""

from bakeoff.compare.pairs import compare
from bakeoff.compare.symmetry import symmetry

__all__ = ["compare", "symmetry"]
