"""Facts about the loaders that are needed where no model is loaded."""

# Distributions that turn files and weights into vectors, besides torch, by loader.
LIBRARIES = {
    "openclip": ("open-clip-torch", "timm", "transformers"),
    "transformers": ("transformers",),
    "timm": ("timm",),
    "derived": (),
}
