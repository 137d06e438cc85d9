"""Open a study that ``results.save(folder)`` stored."""

from __future__ import annotations

from os import PathLike

import numpy as np

from eventstudy.arguments import check_path
from eventstudy.errors import DataError, DataWarning, warn
from eventstudy.results import EventStudyResults
from eventstudy.results.stored_study import read_study
from eventstudy.study import EventStudy

__all__ = ["load"]

#: Abnormal returns that differ by more than this from those stored are warned of.
SAME = 1e-9


def load(folder: str | PathLike[str]) -> EventStudyResults:
    """Open a stored study: fit it again from its own data, and compare with what was found then.

    Parameters
    ----------
    folder : path
        What ``results.save(folder)`` wrote, by this or an earlier version.

    Returns
    -------
    EventStudyResults

    Raises
    ------
    DataError
        If the folder holds no stored study, one of a later format, or its data have been changed.
    MissingExtraError
        If pyarrow is not installed.

    Warns
    -----
    DataWarning
        If this version finds other abnormal returns than those stored.

    See Also
    --------
    EventStudyResults.save : what is stored, and how.

    Examples
    --------
    >>> import tempfile, eventstudy as es
    >>> market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    >>> news = [{"security": "002415.SZ", "date": "2019-05-22"}]
    >>> results = es.EventStudy(market, news, window=(-1, 1)).fit()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     results.save(folder)
    ...     again = es.load(folder)
    >>> again.car(0, 1)["car"].equals(results.car(0, 1)["car"])
    True
    """
    asked, stored, versions = read_study(check_path("folder", folder))
    results = EventStudy(**asked).fit()
    if not isinstance(results, EventStudyResults):
        raise DataError(f"The study in {folder} is of several exchanges.")
    found = results.abnormal_returns
    found.index = found.index.map(str)
    found.columns = found.columns.map(str)
    by = f"those stored by eventstudy {versions.get('eventstudy')}"
    if not found.index.equals(stored.index) or not found.columns.equals(stored.columns):
        warn(f"The events or days of {folder} are not {by}.", DataWarning)
    else:
        apart = np.abs(found.to_numpy() - stored.to_numpy())
        lost = np.isnan(found.to_numpy()) != np.isnan(stored.to_numpy())
        if lost.any() or (apart[~np.isnan(apart)] > SAME).any():
            warn(
                f"The abnormal returns of {folder} are not {by}: they differ by up to "
                f"{np.nanmax(apart, initial=0.0):.2g}.",
                DataWarning,
            )
    return results
