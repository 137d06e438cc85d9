"""One of every public object, for the tests of what users may do with them."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from public_objects import build

from eventstudy.errors import EventStudyWarning


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EventStudyWarning)
        return dict(build(tmp_path_factory.mktemp("objects")))
