"""Counterfactuals learned from peers: elastic net and principal components, tuned forward in time."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np

from eventstudy._typing import FloatArray
from eventstudy.arguments import check_number, check_whole
from eventstudy.errors import ModelError
from eventstudy.models.peer_base import (
    PeerArrays,
    PeerModel,
    Prediction,
    complete_peers,
    forward_splits,
    rolling_origin_errors,
    rolling_origins,
)
from eventstudy.optional import import_optional
from eventstudy.sample import Regressor

__all__ = ["ElasticNetModel", "PCAModel"]

SOURCE = "rolling-origin prediction errors (approximation); prefer sq and rank tests"
FOLDS = 5
MOST_COMPONENTS = 10
PENALTIES = 30
#: Smallest penalty over the largest; with more regressors than days the smaller ones would interpolate.
DEPTH, DEPTH_OF_MANY = 1e-3, 1e-2
#: Blocks of the first half of the days that only the choice of the penalty rests on.
EARLY_BLOCKS = 4
TOLERANCE, STEPS = 1e-5, 100_000


@dataclass(frozen=True)
class ElasticNetModel(PeerModel):
    r"""Elastic net of the security's return on those of its peers and the benchmark.

    .. math:: \min_{\alpha, b} \frac{1}{2M} \sum_\tau (R_{i\tau} - \alpha - z_\tau'b)^2
              + \lambda \Big(\ell \lVert b \rVert_1 + \tfrac{1 - \ell}{2} \lVert b \rVert_2^2\Big)

    with regressors z in units of their standard deviation. The penalty is chosen forward in time from 30,
    which run from the least that leaves no slope down to 1/1000 of it (1/100 where regressors outnumber
    days): the estimation days from the first sixth on are cut into blocks, four up to the middle and ten
    after it, and each is predicted with every penalty from all days before it. The share of the largest
    penalty that did best is taken.

    Parameters
    ----------
    peers : sequence of str, or mapping of security to sequence, optional
        As in `SyntheticPeers`.
    l1_ratio : float, default 0.5
        :math:`\ell`: 1 is the lasso; more than 0.
    benchmark : bool, default True
        Have the benchmark among the regressors.

    Raises
    ------
    ModelError
        If `l1_ratio` is not above 0 and at most 1.
    MissingExtraError
        If scikit-learn is not installed (extra ``ml``).

    Notes
    -----
    `residuals` are rolling-origin prediction errors, as in `SyntheticPeers`: each of the ten blocks is
    predicted with the penalty that did best on the blocks before it, so no error owes anything to its
    own day or a later one. Of 30 peers an event takes a twentieth of a second, of a thousand more than ten
    seconds: name the likely ones. Baker and Gelbach (2020).

    References
    ----------
    docs/methods/peer_models.md, eq. (elastic-net).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.ElasticNetModel().param_names
    ('alpha', 'beta', 'penalty')
    """

    l1_ratio: float = 0.5
    benchmark: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("l1_ratio", self.l1_ratio, above=0, most=1, error=ModelError)

    @property
    def label(self) -> str:
        return "Elastic net on peers" + (" and benchmark" if self.benchmark else "")

    @property
    def regressors(self) -> tuple[Regressor, ...]:
        return (Regressor("benchmark"),) if self.benchmark else ()

    @property
    def param_names(self) -> tuple[str, ...]:
        return ("alpha", "beta", "penalty") if self.benchmark else ("alpha", "penalty")

    @property
    def se_source(self) -> str:
        return SOURCE

    def predict(self, arrays: PeerArrays, row: int) -> Prediction | str:
        kept, days, past, ahead, left_out = complete_peers(arrays, row)
        known = ~np.isnan(arrays.x_est[row][days]).any(axis=1)
        days[days] = known
        x = np.column_stack([past[known], arrays.x_est[row][days]])
        if x.shape[1] == 0 or len(x) < 4 * FOLDS:
            return f"too few peers or days with all returns ({left_out or f'{len(x)} days'})"
        y = arrays.y_est[row, days]
        try:
            (alpha, slopes, penalty), of_blocks = self._forward(y, x)
        except RuntimeError as error:
            return str(error)
        weights, errors = np.full(len(kept), np.nan), np.full(len(days), np.nan)
        weights[kept] = slopes[: kept.sum()]
        errors[days] = of_blocks
        z = np.column_stack([ahead, arrays.x_evt[row]])
        beta = tuple(slopes[kept.sum() :])
        expected = alpha * arrays.span_evt[row] + z @ slopes
        return Prediction(expected, errors, weights, (alpha, *beta, penalty), left_out)

    def _forward(self, y: FloatArray, x: FloatArray) -> tuple[tuple[float, FloatArray, float], FloatArray]:
        """Constant, slopes and penalty of the best share of the largest penalty; rolling-origin errors.

        The paths that say how well each penalty predicts a block give the errors of the block too.
        """
        depth = DEPTH if x.shape[1] < len(y) else DEPTH_OF_MANY
        loss, errors = np.zeros(PENALTIES), np.full(len(y), np.nan)
        half = len(y) // 2
        early = forward_splits(half, EARLY_BLOCKS, len(y) // (FOLDS + 1))
        for train, test in early + rolling_origins(len(y)):
            constants, slopes, _ = self._path(y[train], x[train], depth)
            each = y[test] - constants[:, None] - slopes @ x[test].T
            if test[0] >= half:
                errors[test] = each[np.argmin(loss)]
            loss += (each**2).sum(axis=1)
        constants, slopes, penalties = self._path(y, x, depth)
        best = int(np.argmin(loss))
        return (float(constants[best]), slopes[best], float(penalties[best])), errors

    def _path(self, y: FloatArray, x: FloatArray, depth: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Constants (30,), slopes on returns (30, q) and penalties (30,), the largest penalty first."""
        linear = import_optional("sklearn.linear_model", "scikit-learn", "ml", type(self).__name__)
        centre, spread = x.mean(axis=0), x.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        z, mean = (x - centre) / spread, y.mean()
        most = np.abs(z.T @ (y - mean)).max() / (len(y) * self.l1_ratio)
        if not most > 0:
            nothing = np.zeros(PENALTIES)
            return nothing + mean, np.zeros((PENALTIES, x.shape[1])), nothing
        penalties = most * np.geomspace(1.0, depth, PENALTIES)
        with warnings.catch_warnings():
            # What did not converge is an error below.
            warnings.filterwarnings("ignore", message="Objective did not converge")
            _, on_z, _, steps = linear.enet_path(
                z,
                y - mean,
                l1_ratio=self.l1_ratio,
                alphas=penalties,
                tol=TOLERANCE,
                max_iter=STEPS,
                return_n_iter=True,
                random_state=0,  # without one, numpy's global state is drawn from, for nothing
            )
        if max(steps) >= STEPS:
            raise RuntimeError(f"the elastic net was not found in {STEPS} steps of coordinate descent")
        slopes = np.asarray(on_z.T / spread, dtype=np.float64)
        return np.asarray(mean - slopes @ centre), slopes, penalties


@dataclass(frozen=True)
class PCAModel(PeerModel):
    r"""Least squares of the security's return on principal components of its peers' returns.

    .. math:: R_{i\tau} = \alpha + \sum_{c=1}^{C} b_c F_{c\tau} + \varepsilon_\tau

    where F are the leading components of the peers' standardised returns over the estimation window,
    continued into the event window with the same loadings.

    Parameters
    ----------
    peers : sequence of str, or mapping of security to sequence, optional
        As in `SyntheticPeers`.
    n_components : int, optional
        C; by default chosen from 1 to 10 by cross-validation forward in time: five blocks of days,
        each predicted from all days before it.

    Raises
    ------
    ModelError
        If `n_components` is below 1.

    Notes
    -----
    `residuals` are rolling-origin prediction errors, as in `SyntheticPeers`; components, and their number,
    are found anew at each origin. Weights are those of the peers' returns that the components imply.
    Baker and Gelbach (2020).

    References
    ----------
    docs/methods/peer_models.md, eq. (pca).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.PCAModel(n_components=3).label
    'Principal components of peers (3)'
    """

    n_components: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_components is not None:
            check_whole("n_components", self.n_components, 1, error=ModelError)

    @property
    def label(self) -> str:
        return "Principal components of peers" + (f" ({self.n_components})" if self.n_components else "")

    @property
    def param_names(self) -> tuple[str, ...]:
        return ("alpha", "components")

    @property
    def se_source(self) -> str:
        return SOURCE

    def predict(self, arrays: PeerArrays, row: int) -> Prediction | str:
        kept, days, past, ahead, left_out = complete_peers(arrays, row)
        if past.shape[1] < (self.n_components or 1) or len(past) < 4 * FOLDS:
            return f"too few peers or days with all returns ({left_out or f'{len(past)} days'})"
        y = arrays.y_est[row, days]
        count = self._count(y, past)
        constants, all_slopes = _components(y, past, count)
        alpha, slopes = constants[-1], all_slopes[-1]

        def forecast(y0: FloatArray, x0: FloatArray, x1: FloatArray) -> FloatArray:
            constants, b = _components(y0, x0, self._count(y0, x0))
            return np.asarray(constants[-1] + x1 @ b[-1], dtype=np.float64)

        weights, errors = np.full(len(kept), np.nan), np.full(len(days), np.nan)
        weights[kept] = slopes
        errors[days] = rolling_origin_errors(y, past, forecast)
        expected = alpha * arrays.span_evt[row] + ahead @ slopes
        return Prediction(expected, errors, weights, (float(alpha), float(len(constants))), left_out)

    def _count(self, y: FloatArray, x: FloatArray) -> int:
        """Return the number of components, chosen forward in time unless it was given."""
        if self.n_components is not None:
            return self.n_components
        first = len(y) // (FOLDS + 1)
        most = min(MOST_COMPONENTS, x.shape[1], first - 2)
        if most < 2:
            return 1
        loss = np.zeros(most)
        for train, test in forward_splits(len(y), FOLDS, first):
            constants, slopes = _components(y[train], x[train], most)
            errors = y[test] - constants[:, None] - slopes @ x[test].T
            # Returns of lower rank have fewer components than were asked for.
            loss[: len(errors)] += (errors**2).sum(axis=1)
            loss[len(errors) :] = np.inf
        return int(np.argmin(loss)) + 1


def _components(y: FloatArray, x: FloatArray, most: int) -> tuple[FloatArray, FloatArray]:
    """Regress on the first 1, 2, ..., `most` components: constants (most,), slopes on returns (most, q)."""
    centre, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    scores, sizes, loadings = np.linalg.svd((x - centre) / spread, full_matrices=False)
    most = min(most, int((sizes > 1e-10 * sizes[0]).sum()))
    # Scores are orthonormal, so each component has its own regression.
    on_scores = scores[:, :most].T @ (y - y.mean()) / sizes[:most]
    slopes = np.cumsum(on_scores[:, None] * loadings[:most], axis=0) / spread
    return np.asarray(y.mean() - slopes @ centre), np.asarray(slopes)
