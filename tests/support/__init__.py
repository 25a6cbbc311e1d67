"""Shared by tests of several areas."""
