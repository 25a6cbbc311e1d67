"""Which image-text encoder to use on one's own images, and whether it matters.

Images become embeddings, embeddings become predictions, predictions become metrics,
metrics become comparisons, comparisons become figures and a verdict. Each noun is one
Parquet table (`schemas`), each arrow one module. Nothing here knows the workflow or its
configuration file: every function takes plain values, arrays and paths.

Importing it forbids the Hugging Face libraries the network, in this process and in those
that it starts: only the fetch of weights lifts that (`offline`).
"""

from bakeoff.offline import stay_offline

__version__ = "0.1.0"

stay_offline()
