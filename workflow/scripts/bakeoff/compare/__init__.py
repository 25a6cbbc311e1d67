"""Comparisons: every pair of encoders, every metric, tested as the design allows."""
