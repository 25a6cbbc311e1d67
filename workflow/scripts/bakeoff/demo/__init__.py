"""The embedded data and the tiny encoders: everything a first run needs, offline."""
