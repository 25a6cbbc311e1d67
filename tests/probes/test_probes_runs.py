"""What each run of a probe is given: a seed of its own, and which images stay together."""

import numpy as np
import pyarrow as pa
from bakeoff.probes.centroid import Centroid
from bakeoff.probes.run import run_seed


def test_every_run_has_a_seed_of_its_own(study):
    columns, _ = study().predict(kind="centroid")
    names = ("repeat", "fold", "seed")
    found = set(zip(*(columns[name].tolist() for name in names), strict=True))
    assert len({(repeat, fold) for repeat, fold, _ in found}) == 8
    assert len(found) == len({seed for *_, seed in found}) == 8
    assert run_seed(1, 0, 1) != run_seed(1, 1, 0)
    assert run_seed(1, 0, 1) != run_seed(2, 0, 1)


def test_images_without_a_group_are_units_of_their_own(study, monkeypatch):
    """Eight groups of five and 60 single images; units are what inner folds keep whole."""
    s, folds = study(n=100), []
    names = [f"g{i // 5}" if i < 40 else None for i in range(100)]
    rows = [int(i, 16) for i in s.manifest["image_id"].to_pylist()]
    place = s.manifest.column_names.index("group")
    group = pa.array([names[row] for row in rows], pa.string())
    s.manifest = s.manifest.set_column(place, "group", group)
    predict = Centroid.predict

    def seen(self, fold):
        folds.append(fold)
        return predict(self, fold)

    monkeypatch.setattr(Centroid, "predict", seen)
    s.predict(kind="centroid")
    for fold in folds:
        known = np.array([names[row] for row in fold.train])
        alone = known == np.array(None)
        assert len(set(fold.units)) == len(set(known[~alone])) + alone.sum()
