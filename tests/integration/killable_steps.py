"""Steps of the pipeline, each in a process of its own that a test may kill.

`python -m tests.integration.killable_steps` reads one command a line,
`{"step": ..., "raw": ..., "store": ..., "log": ...}`, forks, and answers with the child's process id and, when it
has ended, with its exit status (negative: the signal). The log says what the child did, line by line, whatever
becomes of it.

Forking a process in which other threads run can lock it up, so polars and pyarrow, which start some, are
imported by the children; what takes seconds to import is here already.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import open_clip
import torch

BATCH = 8
RELEASED = "vit-l-14-quickgelu-openai"  # the encoder of Emotion6's released features
ENCODER: dict[str, Any] = {"model": "tinyemo-vit", "pretrained": None, "device": "cpu", "batch_size": BATCH}
PROJECTOR: dict[str, Any] = {"train_on": ["emotion6"], "seeds": [0, 1, 2], "epochs": 4, "patience": 4}


class Log:
    """Lines that are in the file, each in one write, before what they announce begins."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, word: object) -> None:
        os.write(self._file, f"{word}\n".encode())


def encode(raw: Path, store: str, log: Log) -> None:
    """Fill FI's features; the log has the number of pictures of each batch that the encoder gets."""
    from tinyemo_data.features.encoder import Encoder
    from tinyemo_data.features.materialize import materialize_features
    from tinyemo_data.settings import DatasetSettings, EncoderSettings
    from tinyemo_data.store import Store

    encode_batch = Encoder.encode

    def logged(encoder: Encoder, crops: Sequence[torch.Tensor]) -> torch.Tensor:
        log.write(len(crops))
        return encode_batch(encoder, crops)

    chosen = EncoderSettings.model_validate(ENCODER)
    with patch.object(Encoder, "encode", logged):
        materialize_features(Store(store), "fi", raw / "fi", DatasetSettings(), chosen)


def ingest(raw: Path, store: str, log: Log) -> None:
    """Ingest FI; the log has the number of files that are done, every so often."""
    from tinyemo_data import sources
    from tinyemo_data.ingest import ingest_into
    from tinyemo_data.settings import DatasetSettings
    from tinyemo_data.store import Store

    ingest_into(Store(store), sources.get("fi"), raw / "fi", DatasetSettings(), lambda told: log.write(told.done))


def train(_raw: Path, store: str, log: Log) -> None:
    """Train the projector; the log has `seed <n>` where a seed begins and `epoch` after each epoch."""
    from tinyemo_data.projector import seeds
    from tinyemo_data.projector.materialize import materialize_projector
    from tinyemo_data.projector.training import train_projector
    from tinyemo_data.settings import ProjectorSettings
    from tinyemo_data.store import Store

    def logged(labelled: Any, prototypes: Any, settings: Any, seed: int, progress: Any = None) -> Any:
        log.write(f"seed {seed}")
        return train_projector(labelled, prototypes, settings, seed, progress)

    chosen = ProjectorSettings.model_validate(PROJECTOR)
    with patch.object(seeds, "train_projector", logged):
        materialize_projector(Store(store), RELEASED, chosen, lambda _: log.write("epoch"))


STEPS: dict[str, Callable[[Path, str, Log], None]] = {"encode": encode, "ingest": ingest, "train": train}


def run(step: str, raw: str, store: str, log: str) -> int:
    """Do one step in a child of this process; return the child's process id."""
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a process with threads must not be forked"
    child = os.fork()
    if child:
        return child
    status = 1
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # standard output is for the answers
    try:
        STEPS[step](Path(raw), store, Log(log))
        status = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(status)


def serve() -> None:
    """Do what standard input says until it ends."""
    torch.set_num_threads(1)
    assert "tinyemo-vit" not in open_clip.list_models(), "the library's own configurations are the children's"
    for line in sys.stdin:
        child = run(**json.loads(line))
        answer(child)
        answer(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
