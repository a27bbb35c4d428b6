from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinyemo_data.errors import LayoutError, SettingsError, TinyEmoError, UnknownLabelError
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources import emotion6
from tinyemo_data.sources.source import Entry, Reject

HEADER = "\t".join(
    f"[{name}]"
    for name in (
        "image_filename", "valence", "arousal", "prob. anger", "prob. disgust", "prob. fear", "prob. joy",
        "prob. sadness", "prob. surprise", "prob. neutral",
    )
)  # fmt: skip
KEYWORD, DISTRIBUTION = DatasetSettings(), DatasetSettings(label="distribution")
JOY = [0.0, 0.1, 0.1, 0.5, 0.1, 0.1, 0.1]


def _row(name: str, shares: Iterable[object] = JOY, valence: object = 5.2, arousal: object = 3.1) -> str:
    return "\t".join(str(cell) for cell in (name, valence, arousal, *shares))


def _lay_out(root: Path, pictures: Iterable[str], rows: Iterable[str] | None, ending: str = "\n") -> Path:
    """Write empty files where pictures belong (the source opens none) and a ground_truth.txt."""
    for name in pictures:
        path = root / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    if rows is not None:
        text = ending.join([HEADER, *rows, ""])
        (root / "ground_truth.txt").write_bytes(text.encode())
    return root


def _read(root: Path, chosen: DatasetSettings = KEYWORD) -> list[Entry | Reject]:
    return list(emotion6.read(root, chosen))


def _entries(found: list[Entry | Reject]) -> dict[str, Entry]:
    return {entry.path: entry for entry in found if isinstance(entry, Entry)}


def _rejects(found: list[Entry | Reject]) -> dict[str, str]:
    return {reject.path: reject.reason for reject in found if isinstance(reject, Reject)}


def test_read_joins_on_folder_and_file_when_base_names_repeat(tmp_path: Path) -> None:
    names = ["anger/1.jpg", "disgust/1.jpg", "joy/1.jpg"]
    rows = [_row(name, valence=number) for number, name in enumerate(reversed(names), start=1)]
    found = _entries(_read(_lay_out(tmp_path, names, rows)))
    assert {path: entry.valence for path, entry in found.items()} == {
        "images/joy/1.jpg": 1, "images/disgust/1.jpg": 2, "images/anger/1.jpg": 3,
    }  # fmt: skip


def test_read_keeps_keyword_and_distribution_with_either_label(tmp_path: Path) -> None:
    _lay_out(tmp_path, ["disgust/1.jpg"], [_row("disgust/1.jpg")])
    expected = dict(zip(["anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral"], JOY, strict=True))
    for chosen, emotion, source in ((KEYWORD, "disgust", "keyword"), (DISTRIBUTION, "joy", "distribution")):
        entry = _entries(_read(tmp_path, chosen))["images/disgust/1.jpg"]
        assert (entry.emotion, entry.label_source, entry.keyword) == (emotion, source, "disgust")
        assert (entry.distribution, entry.valence, entry.arousal) == (expected, 5.2, 3.1)
        assert (entry.split, entry.taxonomy) == (None, "ekman6")


@pytest.mark.parametrize(
    ("shares", "reason"),
    [
        ([0, 0, 0, 0.2, 0, 0, 0.8], "neutral"),
        ([0.4, 0, 0, 0.4, 0.2, 0, 0], "tie"),
        ([0, 0, 0, 0.4, 0.2, 0, 0.4], "tie"),
        ([0.1 + 0.2, 0.3, 0, 0.2, 0.2, 0, 0], "tie"),
    ],
    ids=["neutral-is-the-mode", "two-emotions", "emotion-and-neutral", "equal-but-for-rounding"],
)
def test_read_rejects_what_has_no_mode_when_the_label_is_the_distribution(
    tmp_path: Path, shares: list[float], reason: str
) -> None:
    _lay_out(tmp_path, ["joy/1.jpg", "joy/2.jpg"], [_row("joy/1.jpg", shares), _row("joy/2.jpg")])
    assert _rejects(_read(tmp_path, DISTRIBUTION)) == {"images/joy/1.jpg": reason}
    assert _rejects(_read(tmp_path, KEYWORD)) == {}


def test_read_reports_pictures_without_a_row_and_rows_without_a_picture(tmp_path: Path) -> None:
    _lay_out(tmp_path, ["joy/1.jpg", "joy/2.jpg"], [_row("joy/1.jpg"), _row("joy/3.jpg"), _row("fear/1.jpg")])
    found = _read(tmp_path)
    assert list(_entries(found)) == ["images/joy/1.jpg"]
    assert _rejects(found) == {
        "images/joy/2.jpg": "no_ground_truth",
        "images/joy/3.jpg": "missing",
        "images/fear/1.jpg": "missing",
    }


def test_read_ignores_junk_and_rejects_what_is_no_picture(tmp_path: Path) -> None:
    names = ["joy/1.jpg", "joy/.DS_Store", "joy/._1.jpg", "joy/Thumbs.db", "joy/notes.doc", ".hidden/1.jpg"]
    _lay_out(tmp_path, names, [_row("joy/1.jpg")])
    (tmp_path / "images" / "joy" / "inner").mkdir()
    (tmp_path / "images" / "stray.jpg").touch()
    found = _read(tmp_path)
    assert list(_entries(found)) == ["images/joy/1.jpg"]
    assert _rejects(found) == {
        "images/joy/notes.doc": "not_a_picture",
        "images/joy/inner": "unexpected_folder",
        "images/stray.jpg": "no_label",
    }


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_read_tolerates_line_ends_blank_lines_a_byte_order_mark_and_another_column_order(
    tmp_path: Path, ending: str
) -> None:
    _lay_out(tmp_path, ["joy/1.jpg"], None)
    columns = HEADER.split("\t")
    cells = _row("joy/1.jpg").split("\t")
    text = ending.join(["\t".join(reversed(columns)), "", "\t".join(reversed(cells)), "", ""])
    (tmp_path / "ground_truth.txt").write_bytes(b"\xef\xbb\xbf" + text.encode())
    entry = _entries(_read(tmp_path))["images/joy/1.jpg"]
    assert entry.valence == 5.2 and entry.distribution is not None and entry.distribution["joy"] == 0.5


def test_read_joins_when_only_the_case_of_the_suffix_differs(tmp_path: Path) -> None:
    _lay_out(tmp_path, ["joy/1.JPG"], [_row("Joy/1.jpg")])
    assert list(_entries(_read(tmp_path))) == ["images/joy/1.JPG"]


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        ([_row("joy/1.jpg", valence="high")], ["row 2", "[valence]", "'high'"]),
        ([_row("joy/1.jpg", arousal="nan")], ["row 2", "[arousal]", "'nan'"]),
        ([_row("joy/1.jpg", valence="")], ["row 2", "[valence]", "''"]),
        ([_row("joy/1.jpg", [0, 0, 0, 1.5, 0, 0, 0])], ["row 2", "0..1", "1.5"]),
        ([_row("joy/1.jpg", [-0.5, 0, 0, 1.5, 0, 0, 0])], ["row 2", "0..1"]),
        ([_row("joy/1.jpg", [0, 0, 0, 0.5, 0, 0, 0])], ["row 2", "sum to 1", "sum 0.5"]),
        ([_row("joy/1.jpg", [0, 0, 0, "inf", 0, 0, 0])], ["row 2", "[prob. joy]"]),
        ([_row("joy/1.jpg"), _row("joy/1.jpg")], ["row 3", "each picture once", "row 2"]),
        ([_row("joy/1.jpg"), _row("JOY/1.JPG")], ["row 3", "each picture once", "row 2"]),
        ([_row("joy/1.jpg") + "\t1"], ["row 2", "10 cells", "11 cells"]),
        (["joy/1.jpg 5.2 3.1"], ["row 2", "tabs", "1 cells"]),
        ([_row("1.jpg")], ["row 2", "<emotion>/<file>"]),
        ([_row("joy/deep/1.jpg")], ["row 2", "<emotion>/<file>"]),
        ([_row("joy/..")], ["row 2", "<emotion>/<file>"]),
    ],
)
def test_read_names_file_row_expectation_and_mend_when_a_row_is_malformed(
    tmp_path: Path, rows: list[str], parts: list[str]
) -> None:
    _lay_out(tmp_path, ["joy/1.jpg"], rows)
    with pytest.raises(LayoutError) as caught:
        _read(tmp_path)
    for part in [str(tmp_path / "ground_truth.txt"), "expected", "Mend", *parts]:
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["joyful/1.jpg", "neutral/1.jpg", "../1.jpg"])
def test_read_names_file_row_and_nearest_when_a_row_has_an_unknown_emotion(tmp_path: Path, name: str) -> None:
    _lay_out(tmp_path, ["joy/1.jpg"], [_row("joy/1.jpg"), _row(name)])
    with pytest.raises(UnknownLabelError, match=r"ground_truth\.txt, row 3"):
        _read(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        HEADER.replace("valence", "valense").encode(),
        HEADER.replace("\t", ",").encode(),
        HEADER.encode("utf-16"),
        (HEADER + "\t[extra]").encode(),
        _row("joy/1.jpg").encode(),
        b"\xff\xfe\x00\x01",
    ],
    ids=["empty", "blank", "misspelt", "commas", "utf16", "extra", "no-header", "binary"],
)
def test_read_raises_layout_error_when_ground_truth_is_no_such_table(tmp_path: Path, content: bytes) -> None:
    _lay_out(tmp_path, ["joy/1.jpg"], None)
    (tmp_path / "ground_truth.txt").write_bytes(content)
    with pytest.raises(LayoutError, match=r"ground_truth\.txt"):
        _read(tmp_path)


_CELLS = st.one_of(
    st.sampled_from(["joy/1.jpg", "joy/2.jpg", "anger/1.jpg", "x", "", "nan", "1e999", "0", "1", "0.5", "5"]),
    st.floats().map(str),
    st.text(max_size=6),
)
_TABLES = st.lists(st.lists(_CELLS, min_size=8, max_size=11).map("\t".join), max_size=4).map(
    lambda rows: "\n".join([HEADER, *rows]).encode("utf-8", "surrogatepass")
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(), _TABLES, st.binary().map(lambda rest: HEADER.encode() + b"\n" + rest)))
def test_read_gives_rows_or_one_error_of_ours_for_any_bytes(tmp_path: Path, content: bytes) -> None:
    _lay_out(tmp_path, ["joy/1.jpg", "anger/1.jpg"], None)
    (tmp_path / "ground_truth.txt").write_bytes(content)
    for chosen in (KEYWORD, DISTRIBUTION):
        try:
            found = _read(tmp_path, chosen)
        except TinyEmoError as exc:
            assert "ground_truth.txt" in str(exc)
        else:
            seen = [item.path for item in found]
            assert {"images/joy/1.jpg", "images/anger/1.jpg"} <= set(seen)
            assert len(seen) == len(set(seen))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 15), min_size=7, max_size=7).filter(any))
def test_read_takes_the_mode_as_counting_votes_by_hand_does(tmp_path: Path, votes: list[int]) -> None:
    total = sum(votes)
    _lay_out(tmp_path, ["joy/1.jpg"], [_row("joy/1.jpg", [vote / total for vote in votes])])
    ranked = sorted(zip(votes, [*emotion6.EKMAN.labels, "neutral"], strict=True), reverse=True)
    (first, winner), (second, _) = ranked[:2]
    expected = "tie" if first == second else winner
    found = _read(tmp_path, DISTRIBUTION)[0]
    assert (found.reason if isinstance(found, Reject) else found.emotion) == expected


def test_read_needs_ground_truth_for_the_distribution_and_not_for_the_keyword(tmp_path: Path) -> None:
    _lay_out(tmp_path, ["joy/1.jpg"], None)
    with pytest.raises(LayoutError, match=r"ground_truth\.txt"):
        _read(tmp_path, DISTRIBUTION)
    found = _read(tmp_path)
    entry = _entries(found)["images/joy/1.jpg"]
    assert (entry.emotion, entry.distribution, entry.valence) == ("joy", None, None)
    assert _rejects(found) == {"ground_truth.txt": "missing"}


@pytest.mark.parametrize(
    ("names", "error", "part"),
    [
        ([], LayoutError, "images/<emotion>"),
        (["happy/1.jpg"], UnknownLabelError, "happy"),
        (["joy/1.jpg", "love/1.jpg"], UnknownLabelError, "love"),
        (["joy/1.jpg", "Joy/2.jpg"], LayoutError, "one folder an emotion"),
    ],
    ids=["no-images", "unknown-folder", "other-taxonomy", "two-folders-of-one-emotion"],
)
def test_read_names_the_folder_when_the_layout_is_another(
    tmp_path: Path, names: list[str], error: type[TinyEmoError], part: str
) -> None:
    _lay_out(tmp_path, names, [])
    with pytest.raises(error, match=part) as caught:
        _read(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_read_refuses_links_that_lead_outside(tmp_path: Path) -> None:
    root = _lay_out(tmp_path / "data", ["joy/1.jpg"], [_row("joy/1.jpg"), _row("joy/2.jpg")])
    (tmp_path / "secret.jpg").touch()
    (root / "images" / "joy" / "2.jpg").symlink_to(tmp_path / "secret.jpg")
    assert _rejects(_read(root)) == {"images/joy/2.jpg": "outside_dataset"}


def _lay_out_features(root: Path, names: Iterable[str]) -> Path:
    return _lay_out(root, names, None)


def test_released_features_give_the_folders_split_and_keyword(shared_data: Path) -> None:
    root = shared_data / "emotion6_clip_features"
    assert emotion6.is_released_features(root)
    found = list(emotion6.read_features(root, KEYWORD))
    assert not _rejects(found)
    entries = list(_entries(found).values())
    assert Counter(entry.split for entry in entries) == {"train": 1094, "validation": 292}
    assert {entry.emotion for entry in entries} == set(emotion6.EKMAN.labels)
    for entry in entries:
        assert entry.path.startswith(f"images/{entry.split}/{entry.emotion}/")
        assert (entry.keyword, entry.label_source, entry.distribution) == (entry.emotion, "keyword", None)


def test_released_features_ignore_junk_and_reject_what_is_no_feature(tmp_path: Path) -> None:
    names = ["train/joy/1.pt", "train/joy/.DS_Store", "train/joy/1.jpg", "test/fear/2.pt", "dev/joy/1.pt"]
    found = list(emotion6.read_features(_lay_out_features(tmp_path, names), KEYWORD))
    assert list(_entries(found)) == ["images/test/fear/2.pt", "images/train/joy/1.pt"]
    assert _rejects(found) == {"images/train/joy/1.jpg": "not_a_feature", "images/dev": "unexpected_folder"}


def test_released_features_beside_pictures_are_refused(tmp_path: Path) -> None:
    _lay_out_features(tmp_path, ["train/joy/1.pt", "joy/1.jpg"])
    assert emotion6.is_released_features(tmp_path)
    with pytest.raises(LayoutError, match="not both"):
        list(emotion6.read_features(tmp_path, KEYWORD))


def test_released_features_carry_no_distribution(tmp_path: Path) -> None:
    _lay_out_features(tmp_path, ["train/joy/1.pt"])
    with pytest.raises(SettingsError, match="label: keyword"):
        list(emotion6.read_features(tmp_path, DISTRIBUTION))


def test_pictures_are_no_released_features(tmp_path: Path) -> None:
    assert not emotion6.is_released_features(_lay_out(tmp_path, ["joy/1.jpg"], []))
    assert not emotion6.is_released_features(tmp_path / "nowhere")
