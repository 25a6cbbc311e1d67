"""What every probe is given and what it gives back.

Symbols: n images, d features, K classes; a class index counts `Problem.classes`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, Protocol

import numpy as np

Scores = Literal["probability", "logit", "similarity", "decision"]


@dataclass(frozen=True)
class Problem:
    """The classes, their numbers (0..K-1 for nominal labels), and whether they count.

    Ordinal classes stand in the order of their numbers, nominal ones alphabetically.
    """

    classes: tuple[str, ...]
    values: np.ndarray
    ordinal: bool

    def nearest(self, numbers: np.ndarray) -> np.ndarray:
        """(n,) index of the class whose number is nearest; the lower one in a tie.

        Numbers beyond the range of the labels become its ends.
        """
        middles = (self.values[1:] + self.values[:-1]) / 2
        return np.searchsorted(middles, numbers, side="left")


class Features:
    """Features of all images (n, d) float64, and the products that all folds share."""

    def __init__(self, x: np.ndarray) -> None:
        self.x = np.ascontiguousarray(x, dtype=np.float64)

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def gram(self) -> np.ndarray:
        """(n, n) inner products of all images, computed once for all folds."""
        return self.x @ self.x.T

    @cached_property
    def centred(self) -> np.ndarray:
        """(n, d) features minus their mean over all images.

        A shift that an intercept absorbs. Without it the large common part of
        embeddings would cost digits in the sums of squares.
        """
        return self.x - self.x.mean(axis=0)

    @cached_property
    def scatter(self) -> np.ndarray:
        """(d, d) sum of outer products of `centred`, computed once for all folds."""
        return self.centred.T @ self.centred

    def products(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(rows, columns) inner products of two sets of images."""
        return self.gram[np.ix_(rows, columns)]

    @property
    def squares(self) -> np.ndarray:
        """(n,) squared lengths."""
        return np.diagonal(self.gram)

    def rescaled(self, train: np.ndarray) -> "Features":
        """Features centred at the rows `train` and divided by their mean length.

        One number divides all features: the root of the mean squared length of the
        centred rows `train`. The shape of the cloud stays, and a penalty means the same
        for every encoder, whatever the length of its vectors and however narrow the cone
        that they lie in. Where the rows `train` are all equal they are only centred.
        """
        return _Rescaled(self, train)

    def standardised(self, train: np.ndarray) -> "Features":
        """Features with the mean and deviation of the rows `train` taken out.

        A feature that is constant in `train` is only centred.
        """
        mean, deviation = self.x[train].mean(axis=0), self.x[train].std(axis=0)
        return Features((self.x - mean) / np.where(deviation > 0, deviation, 1.0))


class _Rescaled(Features):
    """(x - mean) / length of other features, whose products are computed only once."""

    def __init__(self, of: Features, train: np.ndarray) -> None:
        rows = of.x[train]
        self._of, self._mean = of, rows.mean(axis=0)
        length = float(np.sqrt(((rows - self._mean) ** 2).sum(axis=1).mean()))
        self._length = length if length > 0 else 1.0

    def __len__(self) -> int:
        return len(self._of)

    @cached_property
    def x(self) -> np.ndarray:  # type: ignore[override]
        return (self._of.x - self._mean) / self._length

    @cached_property
    def centred(self) -> np.ndarray:
        return self._of.centred / self._length

    @cached_property
    def scatter(self) -> np.ndarray:
        return self._of.scatter / self._length**2

    @cached_property
    def _across(self) -> np.ndarray:
        """(n,) inner products with the mean, less half of its squared length."""
        return self._of.x @ self._mean - self._mean @ self._mean / 2

    def products(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        # (x - m)'(y - m) = x'y - (x'm - m'm / 2) - (y'm - m'm / 2)
        made = self._of.products(rows, columns)
        made -= self._across[rows][:, None]
        made -= self._across[columns]
        made /= self._length**2
        return made

    @property
    def squares(self) -> np.ndarray:
        return (self._of.squares - 2 * self._across) / self._length**2


@dataclass(frozen=True)
class Fold:
    """One run: the rows of its training and test images, and what may be known of them.

    train, test: row numbers into `features`; y: class indices of the training images;
    units: (n_train,) number of each training image's group, or None without groups:
    choices inside the fold must not divide them; seed: of the run.
    """

    features: Features
    train: np.ndarray
    test: np.ndarray
    y: np.ndarray
    problem: Problem
    units: np.ndarray | None = None
    seed: int = 0

    @property
    def x_train(self) -> np.ndarray:
        """(n_train, d) training features."""
        return self.features.x[self.train]

    @property
    def x_test(self) -> np.ndarray:
        """(n_test, d) test features."""
        return self.features.x[self.test]

    @property
    def present(self) -> np.ndarray:
        """Indices of the classes that the training images bear, ascending."""
        return np.unique(self.y)


@dataclass(frozen=True)
class Predicted:
    """Predictions of the test images.

    y: (n_test,) class indices; raw: (n_test,) number before rounding, or None; scores:
    (n_test, K), or None; a class that was never trained on scores 0 as a probability
    and -inf otherwise.
    """

    y: np.ndarray
    raw: np.ndarray | None = None
    scores: np.ndarray | None = None


class Probe(Protocol):
    """Settings as fields, the kind of its scores, and one method."""

    scores: ClassVar[Scores]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def predict(self, fold: Fold) -> Predicted:
        """Fit on the fold's training images and predict its test images."""
        ...


def spread(scores: np.ndarray, fold: Fold, empty: float) -> np.ndarray:
    """(n_test, K) scores from those of the classes present; `empty` for the others."""
    full = np.full((len(scores), len(fold.problem.classes)), empty)
    full[:, fold.present] = scores
    return full
