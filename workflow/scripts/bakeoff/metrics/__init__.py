"""Metrics, all of them computed from the table of predictions."""
