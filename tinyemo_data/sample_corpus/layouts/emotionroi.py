"""EmotionROI's layout: Emotion6's own pictures once more, saved anew, with another split and region maps."""

from pathlib import Path

import numpy as np
from PIL import Image

from tinyemo_data.sample_corpus.drawn_folder import Laid
from tinyemo_data.sample_corpus.layouts import emotion6
from tinyemo_data.sample_corpus.layouts.files import Album, encode_jpeg, write_file
from tinyemo_data.sample_corpus.plan import Plan, seeded
from tinyemo_data.settings import SampleCorpusSettings

QUALITY = 80  # so that twins differ in their bytes
TEST_SHARE = 0.3  # 594 of 1,980


def lay_out(root: Path, settings: SampleCorpusSettings) -> Laid:
    """Write EmotionROI below `root`: the pictures of the drawn Emotion6, maps and split lists."""
    album = Album(root)
    lists: dict[str, list[str]] = {"training": [], "testing": []}
    for emotion, index, drawing in emotion6.drawings(settings):
        name = f"{emotion}/{index + 1}.jpg"
        album.add(f"images/{name}", drawing.image, emotion6.LABELS.index(emotion), index, QUALITY)
        write_file(root, f"ground_truth/{name}", encode_jpeg(map_regions(drawing.plan)))
        lists["testing" if is_test(emotion, index, settings) else "training"].append(name)
    for split, names in lists.items():
        write_file(root, f"training_testing_split/{split}.txt", ("\n".join(names) + "\n").encode())
    return Laid(album.pictures, album.rejected)


def is_test(emotion: str, index: int, settings: SampleCorpusSettings) -> bool:
    """Tell whether a picture is in the test list: a seeded three tenths of each emotion."""
    count = settings.pictures_per_emotion
    order = seeded("emotionroi split", emotion, settings.seed).permutation(count)
    return bool(order[index] < max(1, round(count * TEST_SHARE)))


def map_regions(plan: Plan) -> Image.Image:
    """Return a grey map of where a picture's things are: the regions that evoke its emotion."""
    y, x = np.mgrid[0 : plan.height, 0 : plan.width].astype(np.float32)
    short = min(plan.width, plan.height)
    regions = np.zeros((plan.height, plan.width), dtype=np.float32)
    for item in plan.items:
        reach = item.height * short / 2
        distance = (x - item.x * plan.width) ** 2 + (y - item.foot * plan.height + reach) ** 2
        regions = np.maximum(regions, np.exp(-distance / (2 * (0.7 * reach) ** 2)))
    return Image.fromarray((regions * 255).astype(np.uint8))
