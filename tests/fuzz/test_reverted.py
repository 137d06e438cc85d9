"""With each mended fault put back, a random case finds it; so the cases would find it again."""

from __future__ import annotations

import pytest
from cases import run
from reverted import FAULTS, Fault, finds, put_back


@pytest.mark.usefixtures("unrendered")
@pytest.mark.quick("a remark proves a decimal sign", "periods of standardised portfolios")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_case_finds_the_fault(fault: Fault) -> None:
    with put_back(fault):
        assert finds(fault.seed) is not None, f"case {fault.seed} no longer finds it; search again"
    run(fault.seed)
