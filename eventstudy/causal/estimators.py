"""Estimators of the counterfactual: what each assumes, how it is tuned, and how it fits one cohort."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import numpy as np

from eventstudy._typing import FloatArray, IntArray
from eventstudy.causal.kernels.completion import matrix_completion
from eventstudy.causal.kernels.factor_model import FixedEffects, interactive_fixed_effects
from eventstudy.causal.kernels.fits import CohortFit
from eventstudy.causal.kernels.placebo import (
    draw_groups,
    pooled_control_gaps,
    refitted_gaps,
    single_control_gaps,
)
from eventstudy.causal.kernels.weighting import (
    Goodness,
    difference_in_differences,
    first_difference_noise,
    goodness_of_match,
    synthetic_control,
    synthetic_did,
    synthetic_did_portfolio,
)
from eventstudy.errors import ModelError

__all__ = [
    "CounterfactualEstimator",
    "DifferenceInDifferences",
    "InteractiveFixedEffects",
    "MatrixCompletion",
    "SyntheticControl",
    "SyntheticDiD",
    "SyntheticMatching",
]

#: Largest number of factors that is tried where none is given.
MOST_FACTORS = 5


@dataclass(frozen=True)
class CounterfactualEstimator(ABC):
    """Base of the estimators of a `CausalStudy`.

    Examples
    --------
    >>> import eventstudy as es
    >>> isinstance(es.causal.SyntheticControl(), es.causal.CounterfactualEstimator)
    True
    """

    @property
    @abstractmethod
    def label(self) -> str:
        """Name in tables, with its variant."""

    @property
    @abstractmethod
    def reference(self) -> str:
        """Paper the estimator comes from."""

    @property
    def pooled(self) -> bool:
        """Whether the treated of a date are fitted as one, on the days on which all of them trade."""
        return True

    @property
    def has_portfolio(self) -> bool:
        """Whether the counterfactual is a portfolio of donors, known on any day that they trade."""
        return True

    @property
    def completes(self) -> bool:
        """Whether returns that a treated unit lacks are estimated like those after the event."""
        return False

    @abstractmethod
    def fit(self, donors: FloatArray, treated: FloatArray, n_pre: int) -> CohortFit:
        """Fit one cohort.

        Parameters
        ----------
        donors, treated : arrays, shape (T, J) and (T, N)
        n_pre : int
            The first rows, before the event.
        """

    def fixed(self, fit: CohortFit) -> CounterfactualEstimator:
        """Return the estimator with the tuning that `fit` chose, as placebos use it."""
        return self

    def portfolio(self, donors: FloatArray, treated: FloatArray, n_post: int) -> CohortFit:
        """Fit all given days as days without effect.

        `n_post` is the number of days that are tested. Only where `has_portfolio`.
        """
        return self.fit(donors, treated, len(donors))

    def event_weights(self, gaps: FloatArray) -> FloatArray:
        """Weight of each event in the mean effect, before scaling, from its pre-event gaps (N, T0); (N,)."""
        return np.ones(len(gaps))

    def placebo_sums(
        self, donors: FloatArray, n_pre: int, size: int, n_draws: int | None, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Gap paths of groups of donors treated as if the event were theirs.

        Parameters
        ----------
        donors : array, shape (T, J)
        n_pre, size : int
        n_draws : int, optional
            None for every donor once, in order; `size` is then 1.
        rng : Generator

        Returns
        -------
        total : array, shape (B, T)
            Weighted sum of the gaps of each group.
        weight : array, shape (B,)
            Sum of the weights.
        """
        groups = _groups(donors.shape[1], size, n_draws, rng)
        return self._pooled_gaps(donors, n_pre, groups) * size, np.full(len(groups), float(size))

    def _pooled_gaps(self, donors: FloatArray, n_pre: int, groups: IntArray) -> FloatArray:
        return refitted_gaps(self.fit, donors, n_pre, groups)


def _groups(n_donors: int, size: int, n_draws: int | None, rng: np.random.Generator) -> IntArray:
    if n_draws is None:
        return np.arange(n_donors)[:, None]
    return draw_groups(n_donors, size, n_draws, rng)


@dataclass(frozen=True)
class SyntheticControl(CounterfactualEstimator):
    r"""Synthetic control on returns: a portfolio of donors without short sales, and without intercept.

    .. math:: \min_{w \ge 0,\ \sum_j w_j = 1} \sum_{t \in P} \Big(R_{1t} - \sum_j w_j R_{jt}\Big)^2

    Parameters
    ----------
    by : {"date", "event"}, default "date"
        One portfolio for the equal-weighted treated of a date, in which their own noise averages out, or one
        for each event.

    Notes
    -----
    Abadie, Diamond and Hainmueller (2010, Journal of the American Statistical Association 105, 493-505); on
    returns, by date: Goldsmith-Pinkham and Lyu (2025, arXiv 2511.15123). The weights are the exact optimum.
    Noise in the returns draws fitted loadings towards those of the mean donor, the less so the more days and
    donors there are.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.causal.SyntheticControl(by="event")
    SyntheticControl(by='event')
    """

    by: Literal["date", "event"] = "date"

    def __post_init__(self) -> None:
        if self.by not in ("date", "event"):
            raise ModelError(f"SyntheticControl: by is 'date' or 'event'; got {self.by!r}.")

    @property
    def label(self) -> str:
        return f"Synthetic control by {self.by}"

    @property
    def reference(self) -> str:
        return "Abadie, Diamond and Hainmueller (2010); on returns Goldsmith-Pinkham and Lyu (2025)"

    @property
    def pooled(self) -> bool:
        return self.by == "date"

    def fit(self, donors: FloatArray, treated: FloatArray, n_pre: int) -> CohortFit:
        return synthetic_control(donors, treated, n_pre, pooled=self.pooled)

    def placebo_sums(
        self, donors: FloatArray, n_pre: int, size: int, n_draws: int | None, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        groups = _groups(donors.shape[1], size, n_draws, rng)
        if self.pooled:
            total = pooled_control_gaps(donors, n_pre, groups) * size
        else:
            total = single_control_gaps(donors, n_pre)[groups].sum(axis=1)
        return total, np.full(len(groups), float(size))


@dataclass(frozen=True)
class SyntheticMatching(CounterfactualEstimator):
    r"""Synthetic matching: one synthetic control per event, and a mean that counts good matches more.

    .. math::
        \hat\phi_k = \frac{\sum_i \sum_{t=0}^k \widehat{AR}_{it} / \hat\sigma_i}{\sum_i 1 / \hat\sigma_i},
        \qquad \hat\sigma_i = \sqrt{\tfrac{1}{T_0} \textstyle\sum_{t \in P} \widehat{AR}_{it}^2}

    Parameters
    ----------
    goodness : {"rmse", "synthReturn"}, default "rmse"
        The published root mean square of the pre-event errors. ``"synthReturn"`` is what the R package
        synthReturn 1.0.0 computes instead, the absolute value of their sum over the root of their number:
        only to reproduce its numbers.

    Notes
    -----
    Acemoglu, Johnson, Kermani, Kwak and Mitton (2016, Journal of Financial Economics 121, 368-391).

    Examples
    --------
    >>> import eventstudy as es
    >>> market, _ = es.lab.simulate_market(40, 400, correlation=0.3, seed=1)
    >>> events = [{"security": name, "date": market.sessions[320]} for name in market.securities[:3]]
    >>> study = es.CausalStudy(market, events, estimator=es.causal.SyntheticMatching(), window=(0, 2))
    >>> study.fit().catt(0, 1)["catt"].round(3).tolist()
    [-0.029]
    """

    goodness: Goodness = "rmse"

    def __post_init__(self) -> None:
        if self.goodness not in get_args(Goodness):
            raise ModelError(
                f"SyntheticMatching: goodness is one of {', '.join(get_args(Goodness))}; got "
                f"{self.goodness!r}."
            )

    @property
    def label(self) -> str:
        return "Synthetic matching" + (" (weights of synthReturn 1.0.0)" if self.goodness != "rmse" else "")

    @property
    def reference(self) -> str:
        return "Acemoglu, Johnson, Kermani, Kwak and Mitton (2016)"

    @property
    def pooled(self) -> bool:
        return False

    def fit(self, donors: FloatArray, treated: FloatArray, n_pre: int) -> CohortFit:
        return synthetic_control(donors, treated, n_pre, pooled=False)

    def event_weights(self, gaps: FloatArray) -> FloatArray:
        sigma = goodness_of_match(gaps, self.goodness)
        # An exact match would get all the weight there is.
        floor = max(1e-12 * float(sigma.max(initial=0.0)), 1e-100)
        return np.asarray(1.0 / np.maximum(sigma, floor))

    def placebo_sums(
        self, donors: FloatArray, n_pre: int, size: int, n_draws: int | None, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        gaps = single_control_gaps(donors, n_pre)
        weights = self.event_weights(gaps[:, :n_pre])
        groups = _groups(donors.shape[1], size, n_draws, rng)
        return (weights[:, None] * gaps)[groups].sum(axis=1), weights[groups].sum(axis=1)


@dataclass(frozen=True)
class SyntheticDiD(CounterfactualEstimator):
    r"""Synthetic difference-in-differences: weighted donors, and weighted days before the event.

    .. math:: \hat\tau_t = g_t - \sum_{s \in P} \hat\lambda_s g_s, \qquad
        g_t = \bar R_{tr,t} - \sum_j \hat\omega_j R_{jt}

    Notes
    -----
    Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021, American Economic Review 111, 4088-4118), with
    the penalties of the R package synthdid. The package stops its search early; here the weights are the
    exact optimum. Returns have no persistent level, so that the time weights fit little but noise.

    Examples
    --------
    >>> import eventstudy as es
    >>> market, _ = es.lab.simulate_market(40, 400, correlation=0.3, seed=1)
    >>> events = [{"security": name, "date": market.sessions[320]} for name in market.securities[:3]]
    >>> study = es.CausalStudy(market, events, estimator=es.causal.SyntheticDiD(), window=(0, 2))
    >>> study.fit().catt(0, 1)["catt"].round(3).tolist()
    [-0.03]
    """

    @property
    def label(self) -> str:
        return "Synthetic difference-in-differences"

    @property
    def reference(self) -> str:
        return "Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021)"

    def fit(self, donors: FloatArray, treated: FloatArray, n_pre: int) -> CohortFit:
        return synthetic_did(donors, treated, n_pre)

    def portfolio(self, donors: FloatArray, treated: FloatArray, n_post: int) -> CohortFit:
        return synthetic_did_portfolio(donors, treated, n_post)

    def _pooled_gaps(self, donors: FloatArray, n_pre: int, groups: IntArray) -> FloatArray:
        noise = first_difference_noise(donors[:n_pre])
        return refitted_gaps(partial(synthetic_did, noise=noise), donors, n_pre, groups)


@dataclass(frozen=True)
class DifferenceInDifferences(CounterfactualEstimator):
    r"""Difference-in-differences by day: the mean donor, shifted by the mean gap before the event.

    .. math:: \hat\tau_{it} = (R_{it} - \bar R_{co,t}) - (\bar R_{i,pre} - \bar R_{co,pre})

    Notes
    -----
    Right where treated and donors load alike on every factor, as when firms are treated at random.

    Examples
    --------
    >>> import eventstudy as es
    >>> market, _ = es.lab.simulate_market(40, 400, correlation=0.3, seed=1)
    >>> events = [{"security": name, "date": market.sessions[320]} for name in market.securities[:3]]
    >>> did = es.causal.DifferenceInDifferences()
    >>> study = es.CausalStudy(market, events, estimator=did, window=(0, 2))
    >>> study.fit().catt(0, 1)["catt"].round(3).tolist()
    [-0.027]
    """

    @property
    def label(self) -> str:
        return "Difference-in-differences"

    @property
    def reference(self) -> str:
        return "Goldsmith-Pinkham and Lyu (2025)"

    @property
    def pooled(self) -> bool:
        return False

    def fit(self, donors: FloatArray, treated: FloatArray, n_pre: int) -> CohortFit:
        return difference_in_differences(donors, treated, n_pre)


@dataclass(frozen=True)
class InteractiveFixedEffects(CounterfactualEstimator):
    r"""Interactive fixed effects (generalized synthetic control): factors that the donors reveal.

    .. math:: R_{jt} = \mu + \alpha_j + \xi_t + \lambda_j' f_t + e_{jt}

    The factors are estimated from the donors on all days, the loadings of a treated unit from its own days
    before the event.

    Parameters
    ----------
    n_factors : int, optional
        By default chosen out of 0 to 5 by leaving out one day before the event at a time; a further factor
        must lower the mean squared prediction error by more than 0.1%, as in gsynth 1.2.1. Later versions of
        gsynth and fect use other folds and another rule, and may choose another number.
    fixed_effects : {"unit", "time", "two-way", "none"}, default "unit"

    Notes
    -----
    Xu (2017, Political Analysis 25, 57-76). Donors that the event hits enter the factors of the event days.

    Examples
    --------
    >>> import eventstudy as es
    >>> market, _ = es.lab.simulate_market(40, 400, correlation=0.3, seed=1)
    >>> events = [{"security": name, "date": market.sessions[320]} for name in market.securities[:3]]
    >>> factors = es.causal.InteractiveFixedEffects()
    >>> study = es.CausalStudy(market, events, estimator=factors, window=(0, 2))
    >>> study.fit().catt(0, 1)["catt"].round(3).tolist()
    [-0.029]
    """

    n_factors: int | None = None
    fixed_effects: FixedEffects = "unit"

    def __post_init__(self) -> None:
        number = self.n_factors
        if number is not None and (
            isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 0
        ):
            raise ModelError(
                f"InteractiveFixedEffects: n_factors is a whole number from 0 on, or None; got {number!r}."
            )
        if self.fixed_effects not in get_args(FixedEffects):
            raise ModelError(
                f"InteractiveFixedEffects: fixed_effects is one of {', '.join(get_args(FixedEffects))}; got "
                f"{self.fixed_effects!r}."
            )

    @property
    def label(self) -> str:
        how = "chosen by leaving out a day" if self.n_factors is None else f"{self.n_factors} factors"
        return f"Interactive fixed effects ({self.fixed_effects}, {how})"

    @property
    def reference(self) -> str:
        return "Xu (2017)"

    @property
    def pooled(self) -> bool:
        return False

    def fit(self, donors: FloatArray, treated: FloatArray, n_pre: int) -> CohortFit:
        most = min(n_pre - 2, donors.shape[1] - 1)
        if self.n_factors is None:
            tried: int | range = range(min(MOST_FACTORS, most) + 1)
        else:
            if self.n_factors > most:
                raise ModelError(
                    f"{self.n_factors} factors need at least {self.n_factors + 1} donors and "
                    f"{self.n_factors + 2} days before the event; there are {donors.shape[1]} donors and "
                    f"{n_pre} days. Take fewer factors, or more donors."
                )
            tried = int(self.n_factors)
        return interactive_fixed_effects(
            donors, treated, n_pre, n_factors=tried, fixed_effects=self.fixed_effects
        )

    def fixed(self, fit: CohortFit) -> CounterfactualEstimator:
        return InteractiveFixedEffects(int(fit.chosen), self.fixed_effects)


@dataclass(frozen=True)
class MatrixCompletion(CounterfactualEstimator):
    r"""Matrix completion: fixed effects of units and days, and a matrix of low rank.

    .. math:: \min_{L,u,v} \tfrac{1}{|O|} \sum_O (R_{it} - L_{it} - u_i - v_t)^2 + \lambda \lVert L \rVert_*

    Parameters
    ----------
    penalty : float, optional
        The :math:`\lambda` above, in units of the returns (decimals). By default the one that best predicts
        the treated over five blocks of days before the event, each as long as the event window.
        Up to twelve are tried from the largest down, until three in a row predict worse than the best.
        Cross-validation of scattered cells, as in MCPanel, is too kind to weak penalties: what is wanted is
        a block.

    Notes
    -----
    Athey, Bayati, Doudchenko, Imbens and Khosravi (2021, Journal of the American Statistical Association
    116, 1716-1730). From the largest penalty on the low-rank part is zero, and the estimate that of
    `DifferenceInDifferences`.

    Returns that a treated firm lacks are further cells to complete: a halt before the event costs the others
    of its date no day, and a return over a halt is compared with the completed sessions, compounded.

    Examples
    --------
    >>> import eventstudy as es
    >>> market, _ = es.lab.simulate_market(40, 400, correlation=0.3, seed=1)
    >>> events = [{"security": name, "date": market.sessions[320]} for name in market.securities[:3]]
    >>> study = es.CausalStudy(market, events, estimator=es.causal.MatrixCompletion(), window=(0, 2))
    >>> study.fit().catt(0, 1)["catt"].round(3).tolist()
    [-0.027]
    """

    penalty: float | None = None

    def __post_init__(self) -> None:
        number = self.penalty
        if number is not None and (
            isinstance(number, bool)
            or not isinstance(number, int | float | np.integer | np.floating)
            or not 0 <= number < np.inf
        ):
            raise ModelError(
                f"MatrixCompletion: penalty is a number from 0 on, or None; got {self.penalty!r}."
            )

    @property
    def label(self) -> str:
        how = "chosen on blocks" if self.penalty is None else f"{self.penalty:.3g}"
        return f"Matrix completion (two-way, penalty {how})"

    @property
    def reference(self) -> str:
        return "Athey, Bayati, Doudchenko, Imbens and Khosravi (2021)"

    @property
    def has_portfolio(self) -> bool:
        return False

    @property
    def completes(self) -> bool:
        return True

    def fit(self, donors: FloatArray, treated: FloatArray, n_pre: int) -> CohortFit:
        return matrix_completion(donors, treated, n_pre, penalty=self.penalty)

    def fixed(self, fit: CohortFit) -> CounterfactualEstimator:
        return MatrixCompletion(fit.chosen)
