"""One folder in which every dataset lies under its own name, whatever folder of this machine it is really in.

A dataset may be unpacked one folder deeper, or anywhere (setting `datasets.<name>.folder`); exports say
`<dataset>/<path>`. Links bring the two together without copying a picture.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from tinyemo_data.errors import StoreError


def link_image_folder(folder: Path, roots: Mapping[str, Path]) -> None:
    """Make `folder/<dataset>` a symbolic link to each dataset's root; links of other datasets stay.

    Raises StoreError where something that is no link stands in a link's place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for dataset, root in sorted(roots.items()):
        link = folder / dataset
        if link.exists() and not link.is_symlink():
            raise StoreError(f"{link}: expected a link to {root}; found a file or folder. Move it away.")
        aside = folder / f".{dataset}.{os.getpid()}.link"
        aside.unlink(missing_ok=True)
        aside.symlink_to(os.path.realpath(root), target_is_directory=True)
        aside.replace(link)
