"""Tails and quantiles equal those of scipy.stats, also where degrees of freedom are none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eventstudy import distributions as ours

X = np.array([-np.inf, -40.0, -2.5, -0.1, 0.0, 0.3, 1.0, 7.0, 60.0, np.inf, np.nan])
P = np.array([1e-12, 0.025, 0.5, 0.975, 1.0 - 1e-12, np.nan])
DOF = np.array([-1.0, 0.0, 0.5, 1.0, 5.0, 248.0, 1e7, np.nan])


@pytest.mark.parametrize("name", ["norm_cdf", "norm_sf", "norm_ppf"])
def test_normal(name: str) -> None:
    law, what = name.split("_")
    points = P if what == "ppf" else X
    expected = getattr(getattr(stats, law), what)(points)
    np.testing.assert_allclose(getattr(ours, name)(points), expected, rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", ["t_cdf", "t_sf", "t_ppf", "chi2_cdf", "chi2_sf", "chi2_ppf"])
def test_laws_with_degrees_of_freedom(name: str) -> None:
    law, what = name.split("_")
    points, dof = np.meshgrid(P if what == "ppf" else X, DOF)
    expected = getattr(getattr(stats, law), what)(points, dof)
    np.testing.assert_allclose(getattr(ours, name)(points, dof), expected, rtol=1e-10, atol=0)


def test_f() -> None:
    x, above, below = np.meshgrid(X, DOF, DOF)
    np.testing.assert_allclose(ours.f_sf(x, above, below), stats.f.sf(x, above, below), rtol=1e-9, atol=0)


def test_noncentral_t() -> None:
    x, dof, shift = np.meshgrid(
        [0.0, 0.7, 2.0, 12.7, 60.0], [1.0, 2.0, 9.0, 248.0, 1e6], np.linspace(-60, 60, 61)
    )
    expected = stats.nct.sf(x, dof, shift)
    np.testing.assert_allclose(ours.noncentral_t_sf(x, dof, shift), expected, rtol=0, atol=1e-12)
    assert np.isnan(ours.noncentral_t_sf([1.0, np.nan, 1.0], [np.nan, 3.0, 3.0], [0.0, 0.0, np.nan])).all()
