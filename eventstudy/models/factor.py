"""Factor models: CAPM, Fama-French, Carhart, and factors of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from eventstudy.errors import ModelError
from eventstudy.models.linear import LinearModel
from eventstudy.sample import Regressor

__all__ = ["CAPM", "Carhart4", "FactorModel", "FamaFrench3", "FamaFrench5"]


@dataclass(frozen=True)
class CAPM(LinearModel):
    r"""Market model in excess of the risk-free rate.

    .. math:: R_{it} - r_{ft} = \alpha_i + \beta_i (R_{mt} - r_{ft}) + \varepsilon_{it}

    The market is each event's benchmark; the factor ``rf`` of the market is taken from both sides
    before estimation. The prediction error is that of `MarketModel`.

    Parameters
    ----------
    missing : {"drop", "trade_to_trade"}, default "drop"
        As in `LinearModel`.

    Notes
    -----
    Sharpe (1964); with a daily risk-free rate near zero it differs from the market model in alpha only.

    References
    ----------
    docs/methods/least_squares_models.md, eq. (capm).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.CAPM().excess, es.CAPM().param_names
    (True, ('alpha', 'beta'))
    """

    excess: bool = field(default=True, init=False, repr=False)

    @property
    def label(self) -> str:
        return "CAPM"

    @property
    def regressors(self) -> tuple[Regressor, ...]:
        return (Regressor("benchmark"),)

    @property
    def param_names(self) -> tuple[str, ...]:
        return ("alpha", "beta")


@dataclass(frozen=True)
class FactorModel(LinearModel):
    r"""Least squares of the security's return on factors.

    .. math:: R_{it} - r_{ft} = \alpha_i + \sum_j \beta_{ij} F_{jt} + \varepsilon_{it}, \qquad
              \nu_i = M_i - 1 - J

    Parameters
    ----------
    factors : sequence of str
        Columns of the market's factors, in any case; ``"benchmark"`` is each event's own benchmark.
        They are taken as they are: ``mkt_rf`` is an excess return already.
    excess : bool, default True
        Take returns, and the benchmark if it is among the factors, in excess of the factor ``rf``.
    missing : {"drop", "trade_to_trade"}, default "drop"
        As in `LinearModel`.

    Raises
    ------
    ModelError
        If no factor or one factor twice is named.

    Notes
    -----
    Factors and returns must be of one kind: published factors are simple returns, so the market's
    should be too. A factor over several sessions is compounded like a return.

    References
    ----------
    docs/methods/least_squares_models.md, eq. (factor-model).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.FactorModel(["benchmark", "semiconductors"], excess=False).param_names
    ('alpha', 'benchmark', 'semiconductors')
    """

    factors: Sequence[str]
    excess: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.factors, str):
            raise ModelError(f"factors is a list of columns: factors=[{self.factors!r}].")
        names = tuple(map(str, self.factors))
        if not names or len(set(names)) < len(names):
            raise ModelError(f"factors must name at least one column, each once; got {list(names)}.")
        object.__setattr__(self, "factors", names)

    @property
    def label(self) -> str:
        return f"Factor model ({', '.join(self.factors)})"

    @property
    def regressors(self) -> tuple[Regressor, ...]:
        return tuple(Regressor(name) for name in self.factors)


@dataclass(frozen=True)
class FamaFrench3(FactorModel):
    """Fama and French's (1993) three factors: market, size and value.

    The market needs factor columns mkt_rf, smb, hml and rf (decimals; case does not matter).

    Parameters
    ----------
    missing : {"drop", "trade_to_trade"}, default "drop"
        As in `LinearModel`.

    See Also
    --------
    FactorModel : the formula.

    References
    ----------
    docs/methods/least_squares_models.md, eq. (factor-model).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.FamaFrench3().param_names
    ('alpha', 'mkt_rf', 'smb', 'hml')
    """

    factors: Sequence[str] = field(default=("mkt_rf", "smb", "hml"), init=False, repr=False)
    excess: bool = field(default=True, init=False, repr=False)

    @property
    def label(self) -> str:
        return "Fama-French three factors"


@dataclass(frozen=True)
class Carhart4(FamaFrench3):
    """Carhart's (1997) four factors: the three of Fama and French, and momentum.

    The market needs factor columns mkt_rf, smb, hml, mom (or umd, or wml) and rf.

    Parameters
    ----------
    missing : {"drop", "trade_to_trade"}, default "drop"
        As in `LinearModel`.

    See Also
    --------
    FactorModel : the formula.

    References
    ----------
    docs/methods/least_squares_models.md, eq. (factor-model).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.Carhart4().n_params
    5
    """

    factors: Sequence[str] = field(default=("mkt_rf", "smb", "hml", "mom"), init=False, repr=False)

    @property
    def label(self) -> str:
        return "Carhart four factors"


@dataclass(frozen=True)
class FamaFrench5(FamaFrench3):
    """Fama and French's (2015) five factors: market, size, value, profitability and investment.

    The market needs factor columns mkt_rf, smb, hml, rmw, cma and rf.

    Parameters
    ----------
    missing : {"drop", "trade_to_trade"}, default "drop"
        As in `LinearModel`.

    See Also
    --------
    FactorModel : the formula.

    References
    ----------
    docs/methods/least_squares_models.md, eq. (factor-model).

    Examples
    --------
    >>> import eventstudy as es
    >>> es.FamaFrench5().label
    'Fama-French five factors'
    """

    factors: Sequence[str] = field(default=("mkt_rf", "smb", "hml", "rmw", "cma"), init=False, repr=False)

    @property
    def label(self) -> str:
        return "Fama-French five factors"
