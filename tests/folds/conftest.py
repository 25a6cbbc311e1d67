import numpy as np
import pyarrow as pa
import pytest


def make_manifest(labels, *, groups=None, splits=None):
    """A manifest of images whose ids sort in the order given."""
    n = len(labels)
    return pa.table(
        {
            "image_id": [f"{i:064x}" for i in range(n)],
            "path": [f"image-{i}.png" for i in range(n)],
            "label": [str(label) for label in labels],
            "value": pa.nulls(n, pa.float64()),
            "split": list(splits) if splits is not None else [""] * n,
            "group": pa.array(
                groups if groups is not None else [None] * n, pa.string()
            ),
            "width": np.full(n, 8, np.int32),
            "height": np.full(n, 8, np.int32),
        }
    )


@pytest.fixture(scope="session")
def manifest():
    return make_manifest
