"""Trains one stage over the profile's store, in one process or several: what the assets do, without Dagster.

    accelerate launch --num_processes 8 -m tinyemo_data.mm_llm pretrain
    accelerate launch --num_processes 8 -m tinyemo_data.mm_llm finetune
    torchrun --nproc-per-node 2 -m tinyemo_data.mm_llm pretrain  (without a GPU)

The assets then find the models made, and train nothing.
"""

import argparse
import sys
from pathlib import Path

from dotenv import load_dotenv

from tinyemo_data import settings
from tinyemo_data.errors import TinyEmoError
from tinyemo_data.mm_llm.device import PartialState
from tinyemo_data.mm_llm.materialize import Trained, finetune, pretrain
from tinyemo_data.progress import terminal_bars
from tinyemo_data.store import Store


def main() -> int:
    """Train the stage that the command line names; return 1 with one sentence where it can't be done."""
    parser = argparse.ArgumentParser(prog="python -m tinyemo_data.mm_llm", description=__doc__.partition("\n")[0])
    parser.add_argument("stage", choices=("pretrain", "finetune"))
    parser.add_argument("--profile", help="a profile's name or path; default: TINYEMO_PROFILE, else demo")
    typed = parser.parse_args()
    load_dotenv(Path.cwd() / ".env")
    try:
        trained = _train(typed.stage, settings.load(typed.profile))
    except TinyEmoError as exc:
        sys.stderr.write(f"{type(exc).__name__}: {exc}\n")
        return 1
    if PartialState().is_main_process:
        sys.stdout.write(_summary(trained))
    return 0


def _train(stage: str, chosen: settings.Settings) -> Trained:
    store = Store(chosen.store)
    store.claim(chosen.pictures)
    train = pretrain if stage == "pretrain" else finetune
    with terminal_bars(stage) as bars:
        return train(store, chosen, bars)


def _summary(trained: Trained) -> str:
    course = trained.manifest["course"]
    how = f", {trained.course.tokens_per_second:,.0f} tokens/s" if trained.course else " (made before)"
    return (
        f"{trained.key}: {course['steps']:,} steps{how}, loss "
        f"{course['points'][0]['loss']:.3f} to {course['points'][-1]['loss']:.3f}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
