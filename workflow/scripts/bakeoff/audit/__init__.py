"""What a published table of per-class results allows, by arithmetic alone.

Read the table (`table`); find the counts that round to each printed share (GRIM), derive
accuracy and macro recall and bounds on macro precision and macro F1 from them, and
compare these with those stated (`models`); where two models share their classes and
supports, bound every paired test that the margins allow (`pairs`); print it (`report`).

Symbols of a class: n images, k of them right; of two models, at least
max(0, k_a + k_b - n) and at most min(k_a, k_b) images are right with both.
"""

from bakeoff.audit.models import counts_behind
from bakeoff.audit.pairs import paired_bounds, unpaired_p
from bakeoff.audit.report import audit

__all__ = ["audit", "counts_behind", "paired_bounds", "unpaired_p"]
