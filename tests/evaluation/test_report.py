"""The report's three files: JSON that reads back, a page that says what must be said, a small picture."""

import io
import json
from dataclasses import replace
from statistics import fmean, stdev

import matplotlib
import numpy as np
import pytest
from PIL import Image

from tinyemo_data.errors import StoreError
from tinyemo_data.evaluation.page import render_page
from tinyemo_data.evaluation.plot import render_plot
from tinyemo_data.evaluation.report import (
    JSON_KEY,
    MARKDOWN_KEY,
    PLOT_KEY,
    ClassificationReport,
    Context,
    read_report,
    to_json,
    write_report,
)
from tinyemo_data.evaluation.row import Row
from tinyemo_data.store import Store

KEYS = [JSON_KEY, MARKDOWN_KEY, PLOT_KEY]
CONTRACT = {"dataset", "split", "taxonomy", "method", "seed", "n", "top1", "macro_f1", "ci95"} | {
    "twins_removed",
    "model_digest",
}


def test_write_report_gives_the_same_bytes_again_and_after_reading(store: Store, report: ClassificationReport) -> None:
    write_report(store, report)
    first = [store.read_bytes(key) for key in KEYS]
    write_report(store, report)
    assert [store.read_bytes(key) for key in KEYS] == first
    found = read_report(store)
    assert found.rows == report.rows
    assert found.context == report.context
    write_report(store, found)
    assert [store.read_bytes(key) for key in KEYS] == first


def test_json_rows_hold_the_contract(store: Store, report: ClassificationReport) -> None:
    write_report(store, report)
    content = json.loads(store.read_bytes(JSON_KEY))
    assert list(content) == ["context", "mean", "notes", "paper", "rows"]
    assert len(content["rows"]) == len(report.rows)
    for row in content["rows"]:
        assert set(row) >= CONTRACT
        assert 0 <= row["top1"] <= 1
        assert row["ci95"][0] <= row["ci95"][1]
    assert list(content["rows"][0]) == sorted(content["rows"][0])


@pytest.mark.parametrize(
    "content", [{"rows": [{"dataset": "fi"}]}, {"notes": []}, [], {"rows": [{"ci95": [0, 1], "accuracy": 1}]}]
)
def test_read_report_names_file_and_mend_when_another_version_wrote_it(store: Store, content: object) -> None:
    store.write_json(JSON_KEY, content)
    with pytest.raises(StoreError, match=r"classification.json.*Materialize evaluation/classification again"):
        read_report(store)


def test_mean_is_unweighted_over_datasets_and_its_deviation_is_over_seeds(
    report: ClassificationReport,
) -> None:
    mean = {entry.method: entry for entry in report.mean if not entry.twins_removed}
    assert set(mean) == {"projector", "projector_ensemble", "majority", "nearest_class_mean", "logistic"}
    kept = [row for row in report.rows if not row.twins_removed]
    logistic = [row.top1 for row in kept if row.method == "logistic"]
    assert mean["logistic"].top1 == pytest.approx(fmean(logistic), abs=1e-6)
    assert mean["logistic"].top1_sd is None
    of_seed = [fmean(row.top1 for row in kept if row.seed == seed) for seed in (0, 1, 2)]
    assert mean["projector"].top1 == pytest.approx(fmean(of_seed), abs=2e-6)
    assert mean["projector"].top1_sd == pytest.approx(stdev(of_seed), abs=2e-6)
    assert mean["projector"].datasets == ["emotion6", "emotionroi"]


def test_mean_without_twins_takes_each_dataset_s_rows_without_twins_where_it_has_them(
    report: ClassificationReport,
) -> None:
    freed = {row.dataset for row in report.rows if row.twins_removed}
    assert freed
    expected = [
        row.top1 for row in report.rows if row.method == "logistic" and row.twins_removed == (row.dataset in freed)
    ]
    found = [entry for entry in report.mean if entry.twins_removed and entry.method == "logistic"]
    assert [entry.top1 for entry in found] == [pytest.approx(fmean(expected), abs=1e-6)]
    unfreed = replace(report, rows=[row for row in report.rows if not row.twins_removed])
    assert not any(entry.twins_removed for entry in unfreed.mean)


def test_mean_leaves_out_a_method_that_a_dataset_lacks_and_is_empty_for_one_dataset(
    report: ClassificationReport,
) -> None:
    lacking = [row for row in report.rows if (row.dataset, row.method) != ("emotion6", "logistic")]
    assert "logistic" not in {entry.method for entry in replace(report, rows=lacking).mean}
    assert replace(report, rows=[r for r in report.rows if r.dataset == "emotion6"]).mean == []


def test_page_has_a_line_for_every_row_with_n_split_seed_and_interval(report: ClassificationReport) -> None:
    lines = render_page(report).splitlines()
    for row in report.rows:
        interval = f"{100 * row.ci95[0]:.1f}–{100 * row.ci95[1]:.1f}"
        name = "projector, seed" if row.seed is not None else ""
        assert any(
            name in line and f"| {row.split} |" in line and f"| {row.n} |" in line and f"| {interval} |" in line
            for line in lines
        )
    widths = {len(line.split(" | ")) for line in lines if line.startswith("| Emotion6 | test | ")}
    assert widths == {10}


def test_page_says_which_of_the_papers_figures_were_trained_on_the_same_pictures(
    report: ClassificationReport,
) -> None:
    page = render_page(report)
    line = next(line for line in page.splitlines() if line.startswith("| TinyEmo-3.21B"))
    assert line == ("| TinyEmo-3.21B | 70.54\\* | 83.82\\* | 41.41\\* | 77.27† | 63.10 | 40.20 | 36.73 | 64.11 |")
    ours = next(line for line in page.splitlines() if line.startswith("| **this run's ensemble**"))
    assert "† (test, N 25)" in ours  # EmotionROI, by a projector that learnt from Emotion6
    assert "same 1,980 pictures" in page


def test_page_says_in_bold_that_pictures_are_drawn_only_when_they_are(report: ClassificationReport) -> None:
    drawn = replace(report, context=Context(**{**report.context, "pictures": "drawn"}))
    assert "**These figures are of drawn pictures" in render_page(drawn)
    assert "this run's ensemble** (drawn pictures)" in render_page(drawn)
    assert "**These figures are of drawn pictures" not in render_page(report)


def test_remarks_are_derived_from_the_rows_and_said_once(report: ClassificationReport) -> None:
    remarks = report.remarks
    assert remarks[0] == report.notes[0]
    assert any("EmotionROI: no test picture has anger" in remark for remark in remarks)
    assert any("EmotionROI: 1 of 25 test pictures have a twin" in remark for remark in remarks)
    assert any("EmotionROI: the projector learnt from the same pictures" in remark for remark in remarks)
    assert any("Emotion6: few test pictures (anger 5" in remark for remark in remarks)
    assert not any("Emotion6: no test picture" in remark for remark in remarks)
    assert replace(report, notes=remarks).remarks == remarks


def test_remarks_say_so_when_there_are_no_baselines(report: ClassificationReport) -> None:
    rows = [row for row in report.rows if row.method.startswith("projector")]
    assert any("no train split here" in remark for remark in replace(report, rows=rows).remarks)


def crowded(report: ClassificationReport) -> ClassificationReport:
    """Eight datasets, one of them with 25 labels and the others with eight: the paper's whole table."""
    rng, rows = np.random.default_rng(0), []
    one = [row for row in report.rows if row.dataset == "emotionroi"]
    for dataset in to_json(report)["paper"]["models"][0]["top1"]:
        size = 25 if dataset == "webemo" else 8
        labels = [f"emotion {code:02d}" for code in range(size)]
        for row in one:
            confusion = (rng.integers(0, 9, (size, size)) + 20 * np.eye(size, dtype=int)).tolist()
            rows.append(replace(row, dataset=dataset, labels=labels, confusion=row.confusion and confusion))
    return replace(report, rows=rows)


@pytest.mark.parametrize("datasets", ["two", "eight"])
def test_plot_is_a_small_png_800_pixels_wide_without_time_or_version(
    report: ClassificationReport, datasets: str
) -> None:
    content = render_plot(report if datasets == "two" else crowded(report))
    picture = Image.open(io.BytesIO(content))
    assert picture.format == "PNG"
    assert picture.width == 800
    assert len(content) < 100_000
    assert picture.info.keys() <= {"dpi"}


def test_plot_is_the_same_when_a_person_has_other_matplotlib_settings(report: ClassificationReport) -> None:
    plain = render_plot(report)
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "black", "savefig.dpi": 30, "lines.linewidth": 9}):
        assert render_plot(report) == plain


def test_plot_warns_in_red_only_when_pictures_are_drawn(report: ClassificationReport) -> None:
    def has_red(content: bytes) -> bool:
        pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
        return bool(((pixels[..., 0] - pixels[..., 1] > 90) & (pixels[..., 0] - pixels[..., 2] > 90)).any())

    drawn = replace(report, context=Context(**{**report.context, "pictures": "drawn"}))
    assert has_red(render_plot(drawn))
    assert not has_red(render_plot(report))


def test_plot_shows_the_confusion_of_the_ensemble(report: ClassificationReport) -> None:
    def without_errors(row: Row) -> Row:
        diagonal = np.diag(list(row.support.values())).tolist()
        return replace(row, confusion=diagonal if row.method == "projector_ensemble" else row.confusion)

    changed = replace(report, rows=[without_errors(row) for row in report.rows])
    assert render_plot(changed) != render_plot(report)
