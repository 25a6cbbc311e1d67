"""Solutions of (A + s I) w = b for many shifts s from one reduction of A."""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh, lapack, solveh_banded

# A shift below this share of the trace may leave a matrix that is not positive definite
# in floating point.
_NEGLIGIBLE = 1e-10


def solve_shifted(a: np.ndarray, b: np.ndarray, shifts: Sequence[float]) -> np.ndarray:
    """(shifts, m, t) solutions, A (m, m) a sum of outer products, b (m, t), s > 0.

    One shift costs a Cholesky factor. Several cost one reduction to tridiagonal form,
    A = Q T Q', after which each is a tridiagonal system, (T + s I) z = Q'b, w = Q z
    (Elden 1977): exact, and a third of the time of an eigendecomposition. Where a shift
    is negligible against A, eigenvalues below 0, which can only be rounding, are set
    to 0.
    """
    if min(shifts) <= _NEGLIGIBLE * np.trace(a):
        values, basis = eigen(a)
        z = basis.T @ b
        return np.stack([basis @ (z / (values + s)[:, None]) for s in shifts])
    if len(shifts) == 1 or len(a) < 3:
        eye = np.eye(len(a))
        return np.stack([cho_solve(cho_factor(a + s * eye), b) for s in shifts])
    return _tridiagonal(a, b, shifts)


def eigen(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, none below 0, and eigenvectors of a sum of outer products."""
    values, basis = eigh(a, driver="evd")
    return np.maximum(values, 0.0), basis


def _tridiagonal(a: np.ndarray, b: np.ndarray, shifts: Sequence[float]) -> np.ndarray:
    work = int(lapack.dsytrd_lwork(len(a), lower=1)[0])
    factors, diagonal, beside, tau, _ = lapack.dsytrd(a, lower=1, lwork=work)
    # The reflections below the first subdiagonal are laid out as those of a QR factor;
    # the first row and column take no part in them.
    reflections = np.asfortranarray(factors[1:, :-1])

    def rotate(columns: np.ndarray, transpose: str) -> np.ndarray:
        rest = np.asfortranarray(columns[1:])
        room = 64 * max(columns.shape)
        turned, *_ = lapack.dormqr("L", transpose, reflections, tau, rest, room)
        return np.concatenate([columns[:1], turned])

    z = rotate(b, "T")
    bands = np.stack([np.append(0.0, beside), diagonal])
    each = [solveh_banded(bands + np.array([[0.0], [s]]), z) for s in shifts]
    turned = rotate(np.concatenate(each, axis=1), "N")
    return turned.reshape(len(a), len(shifts), -1).transpose(1, 0, 2)
