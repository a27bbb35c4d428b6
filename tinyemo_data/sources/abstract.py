"""Abstract: abstract paintings, each voted on by about 14 people, with Mikels' eight emotions.

Home: https://www.imageemotion.org/ (Machajdik, Hanbury, ACM Multimedia 2010). Licence: no licence text;
research only. 280 rated paintings. The label is the emotion with most votes, compared as **integers**: the
original compared them as strings, so that '2' beat '10'. A tie has no label and goes to the quarantine.
It has no official split.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from tinyemo_data import taxonomy
from tinyemo_data.errors import LayoutError
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.folder import Tree, descend, layout_error, within
from tinyemo_data.sources.listing import Row, read_csv
from tinyemo_data.sources.source import DatasetCard, Entry, Reject, Source

TAXONOMY = "mikels8"
FOLDERS = ("testImages_abstract",)
RATINGS = "ABSTRACT_groundTruth.csv"
NAME = ""  # the header's first cell is empty
EMOTIONS = ("amusement", "anger", "awe", "content", "disgust", "excitement", "fear", "sad")  # as columns
VOTES = re.compile(r"[0-9]{1,6}")

CARD = DatasetCard(
    name="abstract",
    title="Abstract (abstract paintings)",
    home="https://www.imageemotion.org/",
    licence="no licence text was published; taken as research only",
    layout="testImages_abstract/abstract_<number>.jpg and, beside them, ABSTRACT_groundTruth.csv (votes)",
    taxonomy=TAXONOMY,
    published={"all": 280},
)


def read(root: Path, _settings: DatasetSettings) -> Iterator[Entry | Reject]:
    """Yield each rated painting, sorted by path, then what has no rating; `root` may be the inner folder.

    Raises LayoutError without the ratings, or where they lack a column, hold what is no vote or a name twice.
    """
    tree = Tree(root)
    at = descend(tree, FOLDERS)
    ratings = tree.file(at, RATINGS)
    if ratings is None:
        raise layout_error(tree, CARD.title, CARD.layout, at)
    votes = _votes_by_picture(root / ratings, at)
    for path in sorted(votes):
        yield tree.refusal(path) or _sample(path, votes[path])
    yield from tree.unlisted(at, {*votes, ratings}, "no_votes", f"{RATINGS} has no row of it")


def _votes_by_picture(ratings: Path, at: str) -> dict[str, dict[str, int]]:
    rows: dict[str, int] = {}
    votes: dict[str, dict[str, int]] = {}
    for row in read_csv(ratings, (NAME, *EMOTIONS)):
        path = within(at, row.cells[NAME])
        if path in rows or not row.cells[NAME]:
            already = f" (row {rows[path]} has it already)" if path in rows else ""
            raise row.error(NAME, f"the name of a picture, each in one row{already}")
        rows[path], votes[path] = row.number, _votes(row)
    if not votes:
        raise LayoutError(f"{ratings} has a header and no votes. Take the file from the distribution again.")
    return votes


def _votes(row: Row) -> dict[str, int]:
    """Return votes by canonical emotion. Raises LayoutError naming file, row and column of a wrong one."""
    votes: dict[str, int] = {}
    for column in EMOTIONS:
        if not VOTES.fullmatch(row.cells[column]):
            raise row.error(column, "a whole number of votes from 0 on")
        emotion = taxonomy.get(TAXONOMY).canonical(column, f"The header of {row.path}")
        votes[emotion] = int(row.cells[column])
    return votes


def _sample(path: str, votes: dict[str, int]) -> Entry | Reject:
    most = max(votes.values())
    winners = [emotion for emotion, count in votes.items() if count == most]
    if most == 0:
        return Reject(path, "no_votes", "all its votes are 0")
    if len(winners) > 1:
        return Reject(path, "tie", f"{most} votes each for {', '.join(winners)}")
    return Entry(path, None, winners[0], "votes", TAXONOMY, votes=votes)


SOURCE = Source(CARD, read)
