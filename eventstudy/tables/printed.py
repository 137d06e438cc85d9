"""A frame of results that prints as a table which fits a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from eventstudy.tables.table import Table

__all__ = ["PrintedFrame", "printed"]

WIDTH = 80
View = Callable[[pd.DataFrame], Table]


class _AnyFrame(type):
    """Lets `pandas.testing.assert_frame_equal` compare a printed frame with a plain one, on either side."""

    def __instancecheck__(cls, other: object) -> bool:
        return isinstance(other, pd.DataFrame)


class PrintedFrame(pd.DataFrame, metaclass=_AnyFrame):
    """A DataFrame that prints as a table: rounded, p-values first, within 80 columns.

    What is computed from it, a copy of it and a part of it are plain frames, which print as pandas prints
    them; so does this one after its columns have changed. ``frame.select_dtypes("number")`` leaves out the
    columns of text, such as who and when.

    Examples
    --------
    >>> import eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> nyt = [{"security": "002415.SZ", "date": "2019-05-22"}]
    >>> found = es.EventStudy(market, nyt, window=(-1, 1)).fit().car(0, 1)
    >>> type(found).__name__, type(found[["car"]]).__name__
    ('PrintedFrame', 'DataFrame')
    """

    # pandas carries and pickles these names.
    _metadata = ["_view", "_as_made"]  # noqa: RUF012

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def _table(self) -> Table | None:
        """Return the table to print, or None where the frame is no longer the one that was made."""
        view, columns = getattr(self, "_view", None), getattr(self, "_as_made", None)
        return None if view is None or columns != list(self.columns) else view(pd.DataFrame(self))

    def __repr__(self) -> str:
        table = self._table()
        return super().__repr__() if table is None else table.to_text(WIDTH)

    def _repr_html_(self) -> Any:
        table = self._table()
        return pd.DataFrame(self)._repr_html_() if table is None else table.to_html()  # type: ignore[operator]


def printed(frame: pd.DataFrame, view: View) -> pd.DataFrame:
    """Return a frame that prints as the table which `view` makes of it.

    Parameters
    ----------
    frame : DataFrame
    view : function of a DataFrame to a Table
        A function of a module, so the frame can be pickled.

    Examples
    --------
    >>> import pandas as pd
    >>> from eventstudy.tables import Section, Table
    >>> def view(frame):
    ...     return Table("Tests", (Section(frame[["p"]], formats={"p": "{:.4p}"}),))
    >>> frame = printed(pd.DataFrame({"statistic": [-4.1], "p": [0.00001]}, index=["t"]), view)
    >>> frame
    Tests
    =====
    <BLANKLINE>
               p
    --  --------
    t   < 0.0001
    >>> frame * 1.0
       statistic        p
    t       -4.1  0.00001
    """
    made = PrintedFrame(frame)
    object.__setattr__(made, "_view", view)
    object.__setattr__(made, "_as_made", list(frame.columns))
    return made
