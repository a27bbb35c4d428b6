"""The page for people: whole in one file, the same for the same audit, open to keyboard and screen reader."""

import csv
import io
import re
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from tests.audit.report.outline import Element, Outline
from tinyemo_data import settings
from tinyemo_data.audit.bias.written import NOT_TESTABLE_KEY, REPORT_KEY, SLICES_KEY, read_slices
from tinyemo_data.audit.report.chart import effects_chart
from tinyemo_data.audit.report.page import PAGE_KEY, TEMPLATES, write_page
from tinyemo_data.audit.review.materialize import materialize_review
from tinyemo_data.audit.review.terms import REVIEW_KEY
from tinyemo_data.store import Store

TEXT, GRAPHICS = 4.5, 3.0  # least contrast (WCAG 2.2, 1.4.3 and 1.4.11)
CHROMIUM = Path("/usr/bin/chromium")


def page_of(store: Store) -> str:
    return write_page(store, settings.load("demo")).decode()


@pytest.fixture
def page(audited_store: Store) -> str:
    materialize_review(audited_store)
    return page_of(audited_store)


@pytest.fixture
def tree(page: str) -> Element:
    outline = Outline(page)
    assert outline.unbalanced == []
    return outline.root


def test_page_fetches_nothing_and_runs_nothing(page: str, tree: Element) -> None:
    assert not tree.within("script")
    fetched = [one.attributes[name] for one in tree.all() for name in ("src", "href") if name in one.attributes]
    assert all(value.startswith(("#", "data:")) for value in fetched)
    assert not re.search(r"url\(|@import|https?://", page)
    assert not [name for one in tree.all() for name in one.attributes if name.startswith("on")]


def test_page_has_language_title_width_and_one_landmark_of_each_kind(tree: Element) -> None:
    (html,) = tree.within("html")
    assert html.attributes["lang"] == "en"
    assert "Bias audit" in tree.within("title")[0].text
    assert any(one.attributes.get("name") == "viewport" for one in tree.within("meta"))
    assert [len(tree.within(tag)) for tag in ("header", "main", "footer", "nav")] == [1, 1, 1, 1]
    assert tree.within("nav")[0].attributes["aria-label"]


def test_headings_go_down_one_level_at_a_time(tree: Element) -> None:
    levels = [int(one.tag[1]) for one in tree.all() if re.fullmatch(r"h[1-6]", one.tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_first_stop_of_the_keyboard_skips_to_the_findings(tree: Element) -> None:
    focusable = [one for one in tree.all() if one.tag in ("a", "button", "summary") or "tabindex" in one.attributes]
    assert focusable[0].attributes["href"] == "#content"
    assert all(one.attributes.get("tabindex", "0") in ("0", "-1") for one in focusable)


def test_every_link_leads_somewhere_and_ids_are_unique(tree: Element) -> None:
    ids = [one.attributes["id"] for one in tree.all() if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    targets = {one.attributes["href"] for one in tree.within("a")}
    assert len(targets) > 8
    assert {target.removeprefix("#") for target in targets} <= set(ids)
    pointed = [one.attributes["aria-labelledby"] for one in tree.all() if "aria-labelledby" in one.attributes]
    assert set(pointed) <= set(ids)


def test_tables_have_captions_and_header_cells_a_scope(tree: Element) -> None:
    tables = tree.within("table")
    assert len(tables) >= 4
    for table in tables:
        assert table.within("caption")[0].text.strip()
        assert all(one.attributes["scope"] in ("col", "row") for one in table.within("th"))
        width = len(table.within("thead")[0].within("th"))
        assert {len(row.within("th") + row.within("td")) for row in table.within("tr")} == {width}


def test_wide_tables_scroll_by_keyboard_in_a_named_region(tree: Element) -> None:
    regions = [one for one in tree.all() if one.attributes.get("class") == "wide"]
    assert regions
    for one in regions:
        assert one.attributes["role"] == "region"
        assert one.attributes["tabindex"] == "0"
        assert one.attributes["aria-label"]


def test_pictures_and_plots_are_told_in_words_or_hidden(tree: Element) -> None:
    stood_for = [one for one in tree.all() if one.attributes.get("class") == "absent"]
    for one in tree.within("img") + stood_for:
        assert "labelled" in (one.attributes.get("alt") or one.attributes["aria-label"])
    assert stood_for  # the made-up pictures lie nowhere
    for plot in tree.within("svg"):
        hidden = any(one.attributes.get("aria-hidden") == "true" for one in above(plot))
        assert hidden or (plot.attributes["role"] == "img" and plot.within("title")[0].text.strip())


def above(element: Element) -> list[Element]:
    return [element, *(above(element.parent) if element.parent else [])]


def test_colours_are_told_apart_from_their_ground_in_light_and_dark() -> None:
    style = (TEMPLATES / "style.css").read_text()
    modes = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", style, re.S)
    ]
    assert len(modes) == 2
    assert set(modes[0]) == set(modes[1])
    for mode in modes:
        for ground in ("page", "panel"):
            for ink in ("text", "muted", "link", "model", "contrast"):
                assert contrast(mode[ink], mode[ground]) >= TEXT, (ink, ground, mode)
            for ink in ("focus", "line", "faint"):
                assert contrast(mode[ink], mode[ground]) >= GRAPHICS, (ink, ground, mode)
        assert contrast(mode["warn"], mode["warn-panel"]) >= TEXT
        assert contrast(mode["warn"], mode["panel"]) >= TEXT
        assert contrast(mode["text"], mode["band"]) >= TEXT
        for ink in ("model", "contrast"):
            assert contrast(mode[ink], mode["band"]) >= GRAPHICS
    cells = re.findall(r"\.(u\d|d\d|z) \{ background: (#\w+); color: (#\w+); \}", style)
    assert {name for name, _, _ in cells} == {"u1", "u2", "u3", "z", "d1", "d2", "d3"}
    assert all(contrast(ink, ground) >= TEXT for _, ground, ink in cells)


def test_focus_is_visible_and_motion_can_be_switched_off() -> None:
    style = (TEMPLATES / "style.css").read_text()
    assert re.search(r":focus-visible \{ outline: [23]px solid var\(--focus\)", style)
    assert "outline: none" not in style
    assert "prefers-reduced-motion" in style


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours (WCAG 2.2), 1 to 21."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`, 0 to 1."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_equal_audits_give_equal_bytes(audited_store: Store, page: str) -> None:
    assert page_of(audited_store) == page
    assert audited_store.read_bytes(PAGE_KEY).decode() == page


def test_page_tells_limits_tests_and_what_was_left_out(audited_store: Store, page: str) -> None:
    report = audited_store.read_json(REPORT_KEY)
    text = " ".join(Outline(page).root.within("main")[0].text.split())
    assert "a0 → anger" in text
    assert f"odds ratio above {report['settings']['odds_ratio']}" in text
    assert "made with planted biases" not in text
    assert "python -m benchmarks.planted_bias" in text
    assert "1. a0 → anger (emoset) Undecided." in text
    assert 'It is <not> at hand & "quoted".' in text  # escaped, so that it is read as it is
    assert "drawn by the program" in text


def test_heat_map_marks_what_the_table_of_slices_says(audited_store: Store, tree: Element) -> None:
    row = read_slices(audited_store).filter("flagged").row(0, named=True)
    cells = [one for one in tree.within("td") if one.within("a") and "d" in one.attributes.get("class", "")]
    (cell,) = [one for one in cells if one.within("a")[0].attributes["href"] == f"#slice-{row['slice_id']}"]
    assert f"{row['d']:+.2f}" in cell.text
    assert {"dot", "ring"} <= set(cell.attributes["class"].split())
    assert "flagged" in cell.text


def test_decisions_are_shown_and_those_of_another_file_are_not(audited_store: Store, page: str) -> None:
    rows = list(csv.DictReader(io.StringIO(audited_store.read_bytes(REVIEW_KEY).decode())))
    rows[0] |= {"decision": "legitimate_cue", "reviewer": "Ada", "date": "2026-01-01", "reason": "<b>graves</b>"}
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    audited_store.write_bytes(REVIEW_KEY, buffer.getvalue().encode())
    assert "Decided" not in page_of(audited_store)  # nobody looked through the file yet
    materialize_review(audited_store)
    decided = page_of(audited_store)
    assert "Decided: a legitimate cue, by Ada. &lt;b&gt;graves&lt;/b&gt;" in decided
    assert decided != page


def test_an_audit_in_which_nothing_was_flagged_has_a_page_and_a_chart(audited_store: Store) -> None:
    none = [pl.lit(False).alias("flagged"), pl.lit(None, pl.Int64).alias("rank")]
    without = read_slices(audited_store).with_columns(none)
    empty = without.with_columns(pl.lit(None, pl.Float64).alias(name) for name in ("d", "d_low", "d_high", "p_model"))
    for slices in (without, empty):
        audited_store.write_table(SLICES_KEY, slices)
        report = audited_store.read_json(REPORT_KEY) | {"slices_sha256": audited_store.digest(SLICES_KEY)}
        audited_store.write_json(REPORT_KEY, report)
        outline = Outline(page_of(audited_store))
        assert outline.unbalanced == []
        assert "No slice was flagged" in outline.root.text
        assert effects_chart(slices).startswith(b"\x89PNG")
    assert audited_store.exists(NOT_TESTABLE_KEY)


@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium")
def test_page_fits_a_phone_and_a_desk_and_the_keyboard_reaches_it(audited_store: Store, page: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        view = browser.new_page()
        errors: list[str] = []
        view.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        for width in (400, 1280):
            view.set_viewport_size({"width": width, "height": 800})
            view.goto(f"file://{audited_store.path(PAGE_KEY)}")
            assert view.evaluate("document.documentElement.scrollWidth") <= width
            view.keyboard.press("Tab")
            assert view.evaluate("document.activeElement.className") == "skip"
            assert view.evaluate("document.activeElement.getBoundingClientRect().top >= 0")
        assert errors == []
        browser.close()
