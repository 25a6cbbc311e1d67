"""The other figures: numbers by hand, rules of choice, and every one as a file."""

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.figures import (
    confusion_difference,
    critical_difference,
    disputes,
    embedding_map,
    learning_curve,
    per_class,
    prompts,
    qualitative,
    reliability,
    resolution,
    tradeoff,
    training,
)
from bakeoff.figures.opinions import opinions
from bakeoff.figures.save import save_figure
from bakeoff.tables import read_table, write_table
from PIL import Image
from sklearn.decomposition import PCA

A, B = "siglip2-so400m-14-378", "clip-vit-b-32+har-xbm"


def read(path):
    return Image.new("RGB", (40, 20), (200, sum(path.name.encode()) % 256, 30))


def drawn(module, data, folder):
    """Written twice, and the same bytes both times."""
    paths = [folder / "one.svg", folder / "two.svg"]
    for path in paths:
        save_figure(module.draw, data, module.size(data), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def choice(study, folder):
    return {
        "predictions": study.predictions,
        "manifest": study.manifest,
        "folder": folder,
        "read": read,
        "method": "ridge",
    }


def test_opinions_rank_confidence_within_each_encoder(activities):
    said = opinions(activities.predictions, method="ridge")
    assert said.called.shape == (300, 3)
    for column in said.confidence.T:
        assert column.max() == pytest.approx(1.0)
        assert column.min() == pytest.approx(1 / 300)


def test_opinions_of_ordinal_methods_go_by_distance(otoliths):
    said = opinions(otoliths.predictions)
    wrong = ~said.right[:, 0]
    assert said.confidence[wrong, 0].mean() > said.confidence[~wrong, 0].mean()
    assert np.isnan(said.probability).all()


def test_every_class_has_its_turn():
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    truth = np.array([0, 0, 1, 0, 1])
    order = qualitative.in_turn(np.arange(5), confidence, truth)
    assert order == [0, 2, 1, 4, 3]


def test_qualitative_rows_are_what_they_say(activities, tmp_path):
    data = qualitative.data_from(a=A, b=B, **choice(activities, tmp_path))
    expected = {
        "Both wrong": [False, False],
        "Only A right": [True, False],
        "Only B right": [False, True],
    }
    for title, rights in expected.items():
        assert data.rows[title]
        for image in data.rows[title]:
            assert [right for _, right in image.said] == rights
            assert [word == image.label for word, _ in image.said] == rights
    drawn(qualitative, data, tmp_path)


def test_disputed_labels_are_wrong_for_all_in_the_same_way(activities, tmp_path):
    said = {"siglip": "bcaaa", "clip": "bcbac", "dino": "bccac"}
    tables = [
        pa.table(
            {
                "image_id": activities.manifest.column("image_id").slice(0, 5),
                "y_true": list("aabab"), "y_pred": list(word),
                "y_raw": pa.array([None] * 5, pa.float64()), "encoder": [encoder] * 5,
                "method": ["m"] * 5, "protocol": ["p"] * 5, "repeat": [0] * 5,
            }
        )
        for encoder, word in said.items()
    ]  # fmt: skip
    made = choice(activities, tmp_path) | {"predictions": tables, "method": "m"}
    data = disputes.data_from(**made)
    assert data.found == 2  # the third, fourth and fifth are not
    assert [(i.label, i.said) for i in data.images] == [
        ("a", [("b", False)]),
        ("a", [("c", False)]),
    ]
    drawn(disputes, data, tmp_path)


def test_one_encoder_disputes_nothing(activities, tmp_path):
    data = disputes.data_from(encoders=[A], **choice(activities, tmp_path))
    assert data.found == 0
    drawn(disputes, data, tmp_path)


def test_confusion_difference_has_rows_that_cancel(activities, tmp_path):
    data = confusion_difference.data_from(
        predictions=activities.predictions, a=A, b=B, method="ridge"
    )
    np.testing.assert_allclose(data.shares.sum(axis=1), 0, atol=1e-12)
    assert np.trace(data.shares) > 0  # the first is the better encoder
    drawn(confusion_difference, data, tmp_path)


def test_many_classes_keep_both_ends(activities, tmp_path):
    tables = {"comparisons": activities.comparisons, "metrics": activities.metrics}
    pair = {**tables, "a": A, "b": B, "method": "ridge"}
    every = [row.label for row in per_class.data_from(**pair).rows]
    data = per_class.data_from(**pair, most=5)
    assert [row.label for row in data.rows] == every[:3] + every[-2:]
    assert data.left_out == 10
    drawn(per_class, data, tmp_path)


def fewshot_tables():
    """Two protocols with 4 and 8 training images, two repeats each."""
    rows, folds = [], {}
    for protocol, shots in (("few4", 4), ("few8", 8)):
        folds[protocol] = pa.table(
            {
                "image_id": [f"{i}" for i in range(20)] * 2,
                "repeat": pa.array([0] * 20 + [1] * 20, pa.int32()),
                "fold": pa.array(([-1] * shots + [0] * (20 - shots)) * 2, pa.int32()),
            }
        )
        for repeat, value in ((0, shots / 10), (1, shots / 10 + 0.1)):
            rows.append(
                {"encoder": "e", "method": "ridge", "protocol": protocol, "class": "",
                 "repeat": repeat, "fold": -1, "metric": "accuracy", "value": value}
            )  # fmt: skip
    return pa.Table.from_pylist(rows), folds


def test_learning_curve_by_hand(tmp_path):
    metrics, folds = fewshot_tables()
    data = learning_curve.data_from(metrics=metrics, folds=folds, method="ridge")
    curve = data.curves["e"]
    assert curve["images"].tolist() == [4, 8]
    assert curve["mean"].tolist() == pytest.approx([0.45, 0.85])
    assert curve["low"].tolist() == pytest.approx([0.4, 0.8])
    assert curve["repeats"].tolist() == [2, 2]
    drawn(learning_curve, data, tmp_path)


def test_front_by_hand():
    cost, value = np.array([1, 2, 3, 3, 4]), np.array([0.5, 0.4, 0.8, 0.7, 0.8])
    assert tradeoff.pareto(cost, value).tolist() == [True, False, True, False, False]
    assert tradeoff.pareto(cost, value, higher=False).tolist() == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert tradeoff.pareto(np.array([1, 1]), np.array([0.5, 0.5])).all()


def test_tradeoff_pairs_costs_with_results(activities, tmp_path):
    data = tradeoff.data_from(
        metrics=activities.metrics, costs=activities.costs.slice(1), method="ridge"
    )
    assert set(data.points.index) == {B, "siglip-so400m-14-384"}
    drawn(tradeoff, data, tmp_path)


def test_resolution_leaves_out_single_points(activities, tmp_path):
    data = resolution.data_from(
        metrics=activities.metrics,
        resolutions={A: ("siglip", 378), "siglip-so400m-14-384": ("siglip", 224),
                     B: ("clip", 224)},
        method="ridge",
    )  # fmt: skip
    assert list(data.lines) == ["siglip"]
    assert data.lines["siglip"]["pixels"].tolist() == [224, 378]
    drawn(resolution, data, tmp_path)


def steps(epochs, per_epoch, seconds, drift=None):
    n = epochs * per_epoch + 1  # the last epoch is cut short
    step = np.arange(1, n + 1)
    return pa.table(
        {
            "step": step, "epoch": step / per_epoch, "loss": 1 / step,
            "floor": pa.array([None] * n, pa.float64()), "temperature": step * 1.0,
            "drift": pa.array([drift] * n, pa.float64()),
            "seconds": step * seconds / per_epoch,
        }
    )  # fmt: skip


def test_seconds_of_whole_epochs(tmp_path):
    data = training.data_from(
        training={"a": steps(3, 7, 20.0, 0.9), "b": steps(2, 5, 8.0)}
    )
    np.testing.assert_allclose(data.seconds["a"], [20, 20, 20])
    np.testing.assert_allclose(data.seconds["b"], [8, 8])
    drawn(training, data, tmp_path)


def test_calibrated_model_lies_in_its_band(tmp_path):
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.3, 1, 6000)
    bins = reliability.calibration_bins(sure, rng.random(6000) < sure, 0.95, 0)
    assert bins["n"].tolist() == [400] * 15
    inside = (bins["band_low"] <= bins["right"]) & (bins["right"] <= bins["band_high"])
    assert inside.sum() >= 13
    wrong = reliability.calibration_bins(sure, rng.random(6000) < 0.3, 0.95, 0)
    assert (wrong["right"] < wrong["band_low"])[5:].all()


def test_reliability_needs_probabilities(activities, otoliths, tmp_path):
    data = reliability.data_from(predictions=activities.predictions, method="ridge")
    assert sum(data.bins[A]["n"]) == 300
    drawn(reliability, data, tmp_path)
    none = reliability.data_from(predictions=otoliths.predictions)
    assert none.bins == {}
    drawn(reliability, none, tmp_path)


def test_prompts_are_sorted_by_their_mean_effect(tmp_path):
    effects = {"cat": {"p": -0.1, "q": 0.2}, "ant": {"p": 0.05, "r": 0.1}}
    data = prompts.data_from(effects=effects)
    assert data.classes == ["ant", "cat"]
    assert data.prompts == ["q", "r", "p"]
    np.testing.assert_array_equal(
        data.effects, [[np.nan, 0.1, 0.05], [0.2, np.nan, -0.1]]
    )
    drawn(prompts, data, tmp_path)
    drawn(prompts, prompts.data_from(effects={}), tmp_path)


def embedded(manifest, x, folder, through_disk):
    ids = manifest.column("image_id").to_pylist()
    return through_disk(
        folder / "e.parquet",
        "embeddings",
        {"image_id": ids[::-1], "embedding": np.asarray(x[::-1], np.float32)},
    )


@pytest.mark.parametrize("kind", ["pca", "tsne"])
def test_map_keeps_classes_together(activities, tmp_path, kind, through_disk):
    labels = np.array(activities.manifest.column("label").to_pylist())
    classes, y = np.unique(labels, return_inverse=True)
    rng = np.random.default_rng(0)
    centres = np.eye(15)[:, :15] * (1 + np.arange(15))
    x = centres[y % 2] * 9 + 0.01 * rng.normal(size=(300, 15))
    table = embedded(activities.manifest, x, tmp_path, through_disk)
    data = embedding_map.data_from(
        embeddings={"e": table}, manifest=activities.manifest, kind=kind, most=60
    )
    points, parity = data.points["e"], np.searchsorted(classes, data.labels) % 2
    assert points.shape == (60, 2)
    middle = [points[parity == i].mean(axis=0) for i in (0, 1)]
    near = np.linalg.norm(points[:, None] - middle, axis=2).argmin(axis=1)
    assert (near == parity).all()
    drawn(embedding_map, data, tmp_path)


def test_principal_axes_are_those_of_scikit_learn():
    x = np.random.default_rng(0).normal(size=(40, 9)) * np.arange(1, 10)
    reference = PCA(2, svd_solver="full").fit(x)
    points, shares = embedding_map.principal(x)
    np.testing.assert_allclose(shares, reference.explained_variance_ratio_)
    sign = np.sign(np.sum(points * reference.transform(x), axis=0))
    np.testing.assert_allclose(points, reference.transform(x) * sign)
    largest = np.abs(reference.components_).argmax(axis=1)
    loadings = np.linalg.lstsq(x - x.mean(axis=0), points, rcond=None)[0]
    assert (loadings[largest, [0, 1]] > 0).all()


def test_map_of_ordinal_labels_has_a_scale(otoliths, tmp_path, through_disk):
    x = np.random.default_rng(0).normal(size=(otoliths.manifest.num_rows, 4))
    table = embedded(otoliths.manifest, x, tmp_path, through_disk)
    data = embedding_map.data_from(embeddings={"e": table}, manifest=otoliths.manifest)
    assert data.values.min() == 1
    assert data.values.max() == 10
    drawn(embedding_map, data, tmp_path)


def test_names_move_apart_and_no_further():
    free = np.array([[0.2, 0.5], [0.8, 0.5]])
    assert (embedding_map.apart(free, ["one", "two"]) == free).all()
    crowd = np.array([[0.5, 0.5], [0.5, 0.5], [0.51, 0.49], [0.1, 0.5]])
    moved = embedding_map.apart(crowd, ["one", "two", "three", "four"])
    heights = np.sort(moved[:3, 1])
    assert np.diff(heights).min() > 0.034
    assert (moved[:, 0] == crowd[:, 0]).all() and (moved[3] == crowd[3]).all()
    assert moved[0, 1] > moved[1, 1]


def test_cliques_by_hand():
    # Ranks of Demsar (2006), table 6. Within 1.0: the two best with the third; within
    # 1.2: all four; within 0.3: two pairs; within 0.01: nobody.
    ranks = {"C4.5": 3.143, "C4.5+m": 2.000, "C4.5+cf": 2.893, "C4.5+m+cf": 1.964}
    cliques = critical_difference.cliques
    assert cliques(ranks, 1.0) == [(1.964, 2.893), (2.893, 3.143)]
    assert cliques(ranks, 1.2) == [(1.964, 3.143)]
    assert cliques(ranks, 0.3) == [(1.964, 2.0), (2.893, 3.143)]
    assert cliques(ranks, 0.01) == []


def test_mean_ranks_of_a_table_best_first(tmp_path):
    path = tmp_path / "ranks.parquet"
    rows = {
        "study": [study for study in "vwxyz" for _ in range(3)],
        "encoder": ["b", "a", "c"] * 5,
        "value": [0.5, 0.7, 0.6] * 5,
        "rank": [3.0, 1.0, 2.0] * 4 + [2.0, 1.0, 3.0],
    }
    write_table(path, "ranks", rows, {"critical_difference": 1.5})
    data = critical_difference.data_from(ranks=read_table(path, "ranks"))
    assert data.ranks == {"a": 1.0, "c": 2.2, "b": 2.8}
    assert (data.critical, data.datasets) == (1.5, 5)
    assert data.encoders == ["b", "a", "c"]
    drawn(critical_difference, data, tmp_path)
