"""Tests and intervals on plain arrays: no tables, no files, no settings."""
