"""Shifted systems against direct solutions."""

import numpy as np
import pytest
from bakeoff.probes.shifted import solve_shifted


@pytest.mark.parametrize("m", [1, 2, 3, 4, 40])
@pytest.mark.parametrize("rank", [1, 60])
@pytest.mark.parametrize("shifts", [[2.0], [0.01, 1.0, 1e3], [1e-13, 1.0]])
def test_equals_direct_solutions(m, rank, shifts):
    rng = np.random.default_rng(m)
    rows, b = rng.normal(size=(rank, m)), rng.normal(size=(m, 2))
    a = rows.T @ rows
    solved = solve_shifted(a, b, shifts)
    assert solved.shape == (len(shifts), m, 2)
    for shift, w in zip(shifts, solved, strict=True):
        if shift > 1e-9 or rank > m:  # else ill-posed: no digits to compare
            direct = np.linalg.solve(a + shift * np.eye(m), b)
            np.testing.assert_allclose(w, direct, rtol=1e-8, atol=1e-10)
        assert np.isfinite(w).all()


def test_the_matrix_is_left_as_it_is():
    a = np.array([[2.0, 1, 0], [1, 2, 0], [0, 0, 3]], order="F")
    before = a.copy()
    solve_shifted(a, np.ones((3, 1)), [1.0, 2.0])
    np.testing.assert_array_equal(a, before)
