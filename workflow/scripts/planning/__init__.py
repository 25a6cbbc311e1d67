"""What the Snakefile needs to plan: configuration, targets, reasons to run again.

Nothing heavy is imported here: the Snakefile is parsed again by every cluster job.
"""
