"""Pages and tables follow the HTML standard: the strict parser of html5lib finds no error in them."""

from __future__ import annotations

from pathlib import Path

import html5lib
import pandas as pd
import pytest
from html5lib.html5parser import ParseError

import eventstudy as es
from eventstudy.tables import Section, Table

NASTY = "<script>alert('x')</script> & \"quoted\" </td></table> -- <!-- \x07 &amp; &nosuch; 100%"


def parsed(page: str) -> object:
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)


def of_fragment(fragment: str) -> str:
    return f'<!DOCTYPE html><html lang="en"><head><title>x</title></head><body>{fragment}</body></html>'


@pytest.fixture(scope="module", params=["one", "several"])
def results(request: pytest.FixtureRequest) -> es.EventStudyResults:
    market = es.Market.from_prices(es.datasets.surveillance_prices(), benchmark="399001.SZ")
    firms = ("002415.SZ", "002236.SZ", "300188.SZ")[: 1 if request.param == "one" else 3]
    news = [
        {"security": name, "date": "2019-05-22", "label": NASTY, "group": f"<b>{i % 2}"}
        for i, name in enumerate(firms)
    ]
    return es.EventStudy(market, news, estimation=(-200, -21), window=(-3, 3)).fit()


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.quick(every=2)
def test_the_report(results: es.EventStudyResults, tmp_path: Path) -> None:
    path = results.report(tmp_path / "page.html", question=NASTY, notes=[NASTY], currency="<b>&")
    page = path.read_text(encoding="utf-8")
    tree = parsed(page)
    assert tree.find(".//script") is None
    texts = "".join(tree.itertext())
    assert "<script>alert('x')</script> & \"quoted\" </td></table> -- <!--" in texts
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    images = tree.findall(".//img")
    assert images
    assert all(image.get("alt") for image in images)


@pytest.mark.quick(every=2)
def test_what_a_notebook_shows(results: es.EventStudyResults) -> None:
    frame = pd.DataFrame({NASTY: [NASTY, 1.0]}, index=[NASTY, None]).rename_axis(NASTY)
    shown = [
        results,
        results.spec.events,
        results.spec.market,
        es.EventStudy(results.spec.market, results.spec.events),
        results.summary(),
        results.aar_table(),
        results.caar_table(),
        results.car_table(),
        es.event_table([results, results], names=[NASTY, "b"]),
        Table(NASTY, (Section(frame, NASTY),), (NASTY,)),
    ]
    for thing in shown:
        tree = parsed(of_fragment(thing._repr_html_()))
        assert tree.find(".//script") is None
        assert "".join(tree.itertext()).strip()


def test_an_error_is_found() -> None:
    for broken in ("<p><table></p>", "<td>x</td>", "a &nosuch; b", "<p id=1 id=2>", "\x07"):
        with pytest.raises(ParseError):
            parsed(of_fragment(broken))
