"""Ridge regression: on the numbers of ordinal labels, on +-1 per class otherwise.

With an unpenalised intercept, the prediction of features x is

    mean(y) + (x - m)' (S + alpha I)^-1 c,   S = sum (x_i - m)(x_i - m)',
                                             c = sum (x_i - m)(y_i - mean(y)),

sums over training images. With fewer images than features, the same is written with the
kernel of the centred images: mean(y) + k(x)' (K + alpha I)^-1 (y - mean(y)).
Both are `_System`: predictions are offset + rows @ (matrix + alpha I)^-1 @ right.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np

from bakeoff.probes.cutpoints import best_cuts
from bakeoff.probes.interface import Features, Fold, Predicted, Scores
from bakeoff.probes.shifted import eigen, solve_shifted

ALPHAS = tuple(float(a) for a in np.logspace(-6, 4, 41))


@dataclass(frozen=True)
class Ridge:
    """Ridge regression with a given penalty, or one chosen inside the training images.

    alpha: the penalty, on the scale of the features as they come to the probe; or
    `nested`: the one of `alphas` with the least squared error of exact leave-one-out
    prediction (leave-one-group-out where there are groups) of the training images.
    decode: how a number becomes an ordinal label. `round`: the nearest label;
    `cutpoints`: thresholds with the most exact hits among leave-one-out predictions of
    the training images. Nominal labels are the class with the largest prediction, which
    is scikit-learn's RidgeClassifier.
    """

    alpha: float | Literal["nested"] = 6.0
    alphas: Sequence[float] = field(default=ALPHAS)
    decode: Literal["round", "cutpoints"] = "round"
    scores: ClassVar[Scores] = "decision"

    def settled(self, fold: Fold) -> "Ridge":
        """The same probe with its penalty chosen inside the fold."""
        if self.alpha != "nested":
            return self
        targets = _targets(fold)
        system = _system(fold.features, fold.train, fold.test, targets)
        alpha, _ = self._inside(fold, targets, system, self.alphas)
        return replace(self, alpha=alpha)

    def predict(self, fold: Fold) -> Predicted:
        """Numbers and nearest labels, or one decision value per class."""
        targets = _targets(fold)
        system = _system(fold.features, fold.train, fold.test, targets)
        alpha = self.alpha
        if alpha == "nested":
            alpha, _ = self._inside(fold, targets, system, self.alphas)
        numbers = _solve(system, [alpha])[0]
        if self.has_formula(fold):
            return _decoded(numbers, fold)
        raw = numbers[:, 0]
        _, held_out = self._inside(fold, targets, system, [alpha])
        cuts = best_cuts(held_out[:, 0], fold.y, len(fold.problem.classes))
        return Predicted(np.searchsorted(cuts, raw, side="left"), raw)

    def predict_each(self, fold: Fold, values: Sequence[float]) -> list[Predicted]:
        """`predict` for every penalty of `values`, from one decomposition.

        Thresholds (`decode: cutpoints`) are fitted for each penalty by itself.
        """
        if not self.has_formula(fold):
            return [replace(self, alpha=value).predict(fold) for value in values]
        targets = _targets(fold)
        numbers = ridge_path(fold.features, fold.train, fold.test, targets, values)
        return [_decoded(each, fold) for each in numbers]

    def has_formula(self, fold: Fold) -> bool:
        """Whether predictions without one training image need no refitting.

        They do where thresholds are fitted to the training images as well.
        """
        return self.decode == "round" or not fold.problem.ordinal

    def hits_without(
        self, fold: Fold, left_out: np.ndarray, truth: np.ndarray
    ) -> np.ndarray:
        """(m,) test images that are right when one training image is left out.

        left_out: (m,) places among the training images; truth: (n_test,) class indices.
        Exact, without refitting: with the hat matrix H of the training images, H_T that
        of the test images and the residuals r, the predictions without image i are
        f - H_T[:, i] r_i / (1 - H_ii). Needs a penalty that is a number, and labels
        that `has_formula` allows.
        """
        assert self.alpha != "nested"
        targets = _targets(fold)
        system = _system(fold.features, fold.train, fold.test, targets)
        numbers = _solve(system, [self.alpha])[0]
        across, scaled = _influence(fold, system, targets, self.alpha, left_out)
        hits = np.empty(len(left_out), dtype=int)
        for rows in np.array_split(np.arange(len(left_out)), 1 + len(left_out) // 256):
            # (rows, n_test, t), a part at a time.
            each = numbers - across.T[rows][:, :, None] * scaled[rows][:, None, :]
            flat = _decoded(each.reshape(-1, each.shape[2]), fold).y
            hits[rows] = (flat.reshape(len(rows), -1) == truth).sum(axis=1)
        return hits

    @staticmethod
    def _inside(
        fold: Fold, targets: np.ndarray, system: "_System", grid: Sequence[float]
    ) -> tuple[float, np.ndarray]:
        """The best penalty, and the held-out predictions of the training images."""
        predictions = _held_out(
            fold.features, fold.train, system, targets, grid, fold.units
        )
        best = int(np.argmin(((predictions - targets) ** 2).mean(axis=(1, 2))))
        return float(grid[best]), predictions[best]


def ridge_path(
    features: Features,
    train: np.ndarray,
    test: np.ndarray,
    targets: np.ndarray,
    alphas: Sequence[float],
) -> np.ndarray:
    """(alphas, n_test, t) predictions for every penalty from one decomposition.

    targets: (n_train, t). Equal to `sklearn.linear_model.Ridge(alpha)` fitted once per
    penalty, up to rounding. What is decomposed is the smaller of the (d, d) and the
    (n_train, n_train) matrix; sums over the training images are those over all images
    minus those over the rest, where the rest is smaller.
    """
    return _solve(_system(features, train, test, targets), alphas)


@dataclass(frozen=True)
class _System:
    """offset + rows @ (matrix + alpha I)^-1 @ right.

    matrix: (m, m); right: (m, t); test: (n_test, m) rows; offset: (t,); mean: (d,) of
    the centred training features; dual: whether m counts images (else features).
    """

    matrix: np.ndarray
    right: np.ndarray
    test: np.ndarray
    offset: np.ndarray
    mean: np.ndarray
    dual: bool


def _decoded(numbers: np.ndarray, fold: Fold) -> Predicted:
    """Labels from (n_test, t) numbers: the nearest one, or the class with the largest."""
    if fold.problem.ordinal:
        return Predicted(fold.problem.nearest(numbers[:, 0]), numbers[:, 0])
    return Predicted(numbers.argmax(axis=1), scores=numbers)


def _influence(
    fold: Fold,
    system: _System,
    targets: np.ndarray,
    alpha: float,
    left_out: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """H_T[:, i] (n_test, m) and r_i / (1 - H_ii) (m, t) of the images `left_out`."""
    n = len(targets)
    if system.dual:
        # With K the kernel of the centred training images and A = (K + alpha I)^-1:
        # H = 1/n + K A = 1/n + I - alpha A, and of the test images 1/n + K_T A.
        columns = solve_shifted(system.matrix, np.eye(n)[:, left_out], [alpha])[0]
        across = 1 / n + system.test @ columns
        diagonal = columns[left_out, np.arange(len(left_out))]
        leverage = 1 / n + 1 - alpha * diagonal
        residual = alpha * columns.T @ (targets - system.offset)
    else:
        rows = fold.features.centred[fold.train[left_out]] - system.mean
        weights = solve_shifted(system.matrix, rows.T, [alpha])[0]
        across = 1 / n + system.test @ weights
        leverage = 1 / n + np.einsum("id,di->i", rows, weights)
        residual = targets[left_out] - system.offset - weights.T @ system.right
    return across, residual / (1 - leverage)[:, None]


def _targets(fold: Fold) -> np.ndarray:
    """(n_train, 1) numbers, or (n_train, K): +1 for the own class, -1 elsewhere."""
    if fold.problem.ordinal:
        return fold.problem.values[fold.y][:, None]
    return np.where(fold.y[:, None] == np.arange(len(fold.problem.classes)), 1.0, -1.0)


def _system(
    features: Features, train: np.ndarray, test: np.ndarray, targets: np.ndarray
) -> _System:
    x = features.centred
    offset = targets.mean(axis=0)
    residual = targets - offset
    if len(train) < x.shape[1]:
        mean = x[train].mean(axis=0)
        rows = x[train] - mean
        kernel, across = rows @ rows.T, (x[test] - mean) @ rows.T
        return _System(kernel, residual, across, offset, mean, dual=True)
    # Weights over all images, 0 outside `train`, spare a copy of most of x.
    weights = np.zeros((len(x), 1 + targets.shape[1]))
    weights[train] = np.column_stack([np.full(len(train), 1 / len(train)), residual])
    sums = x.T @ weights
    mean, right = sums[:, 0], sums[:, 1:]  # (residuals sum to 0: no need to centre x)
    matrix = _scatter(features, train) - len(train) * np.outer(mean, mean)
    return _System(matrix, right, x[test] - mean, offset, mean, dual=False)


def _scatter(features: Features, train: np.ndarray) -> np.ndarray:
    """(d, d) sum of outer products over `train`, by whichever sum is shorter."""
    rest = np.setdiff1d(np.arange(len(features)), train)
    if len(rest) < len(train):
        left = features.centred[rest]
        return features.scatter - left.T @ left
    rows = features.centred[train]
    return rows.T @ rows


def _solve(system: _System, alphas: Sequence[float]) -> np.ndarray:
    """(alphas, n_test, t) predictions."""
    weights = solve_shifted(system.matrix, system.right, alphas)
    return system.offset + system.test @ weights


def _held_out(
    features: Features,
    train: np.ndarray,
    system: _System,
    targets: np.ndarray,
    alphas: Sequence[float],
    units: np.ndarray | None,
) -> np.ndarray:
    """(alphas, n_train, t) predictions of each training image without its own unit.

    Exact, without refitting: with the hat matrix H = 1/n + U diag(s/(s + alpha)) U' and
    the residuals r, the held-out residuals of a unit G are (I - H_GG)^-1 r_G (Cook and
    Weisberg 1982, eq. 2.2.8, for one image; the block form for several).
    """
    values, basis = eigen(system.matrix)
    keep = values > values.max() * len(values) * np.finfo(float).eps
    left = basis[:, keep]
    if not system.dual:
        rows = features.centred[train] - system.mean
        left = rows @ left / np.sqrt(values[keep])  # (n_train, rank)
    projected = left.T @ (targets - system.offset)
    predictions = []
    for alpha in alphas:
        shrink = values[keep] / (values[keep] + alpha)
        residual = targets - system.offset - left @ (shrink[:, None] * projected)
        predictions.append(targets - _deleted(residual, left, shrink, units))
    return np.stack(predictions)


def _deleted(
    residual: np.ndarray,
    left: np.ndarray,
    shrink: np.ndarray,
    units: np.ndarray | None,
) -> np.ndarray:
    """(n_train, t) residuals of each unit from a fit without it."""
    n = len(residual)
    if units is None:
        leverage = 1 / n + left**2 @ shrink
        return residual / (1 - leverage)[:, None]
    deleted = np.empty_like(residual)
    for own in _by_size(units):
        u = left[own]  # (units, size, rank)
        hat = 1 / n + (u * shrink) @ u.transpose(0, 2, 1)
        deleted[own] = np.linalg.solve(np.eye(own.shape[1]) - hat, residual[own])
    return deleted


def _by_size(units: np.ndarray) -> list[np.ndarray]:
    """Row numbers (units, size) of the units of each size, so that one solve does."""
    _, number, size = np.unique(units, return_inverse=True, return_counts=True)
    order = np.argsort(number, kind="stable")
    sizes = size[number[order]]
    return [order[sizes == s].reshape(-1, s) for s in np.unique(size)]
