"""Synthetic matching: effects weighted by how well each counterfactual fits before the event."""

from __future__ import annotations

from typing import Literal

import numpy as np

from eventstudy._typing import BoolArray, FloatArray

__all__ = ["Goodness", "badly_matched", "goodness_of_match", "matched_effect"]

Goodness = Literal["rmse", "synthReturn"]


def goodness_of_match(gaps: FloatArray, kind: Goodness = "rmse") -> FloatArray:
    r"""Root mean square of the pre-event gaps, :math:`\hat\sigma_i` (Acemoglu et al. 2016).

    .. math:: \hat\sigma_i = \sqrt{\tfrac{1}{T_0} \textstyle\sum_t \widehat{AR}_{it}^2}

    Parameters
    ----------
    gaps : array, shape (..., T0)
        Days that are NaN are left out.
    kind : {"rmse", "synthReturn"}
        ``"synthReturn"`` is what the R package synthReturn 1.0.0 computes instead, the absolute sum over the
        root of the number of days; only to reproduce it.
    """
    count = np.sum(~np.isnan(gaps), axis=-1)
    if kind == "synthReturn":
        return np.asarray(np.abs(np.nansum(gaps, axis=-1)) / np.sqrt(count))
    return np.asarray(np.sqrt(np.nansum(gaps**2, axis=-1) / count))


def matched_effect(cumulative: FloatArray, sigma: FloatArray) -> FloatArray:
    r"""Mean of cumulative effects, weighted by the inverse goodness of match (Acemoglu et al. 2016).

    .. math:: \hat\phi_k = \frac{\sum_i \sum_{t=0}^k \widehat{AR}_{it} / \hat\sigma_i}
        {\sum_i 1 / \hat\sigma_i}

    Parameters
    ----------
    cumulative : array, shape (..., N, K)
    sigma : array, shape (..., N)
        Units with a NaN are left out.

    Returns
    -------
    array, shape (..., K)
        NaN where no unit is left.
    """
    used = ~np.isnan(sigma)
    inverse = np.where(used, 1.0 / np.where(used, sigma, 1.0), 0.0)
    total = inverse.sum(axis=-1)
    weighted = (inverse[..., None] * np.where(used[..., None], cumulative, 0.0)).sum(axis=-2)
    safe = np.where(total > 0, total, 1.0)[..., None]
    return np.asarray(np.where(total[..., None] > 0, weighted / safe, np.nan))


def badly_matched(sigma: FloatArray, treated_sigma: FloatArray) -> BoolArray:
    """Units to leave out of placebo draws: sigma above the root of three times the mean of the treated."""
    return np.asarray(sigma > np.sqrt(3.0) * treated_sigma.mean())
