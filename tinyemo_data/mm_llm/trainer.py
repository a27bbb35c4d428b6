"""transformers' Trainer for one stage: own weights in its checkpoints, own order of records, one kind of error.

The Trainer rather than TRL's SFTTrainer: the records are tokenized, masked and checked before it starts (a maximum
length below a picture's tokens would give loss 0 and no error there), and losses agree to three decimals. Gradient
accumulation, mixed precision, several processes (`accelerate launch`), schedules and random states are the Trainer's.
"""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch.utils.data import Sampler
from transformers import Trainer
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm.checkpoints import is_about_writing, load_trained, save_trained
from tinyemo_data.mm_llm.order import EpochOrder


class StageTrainer(Trainer):
    """Trains what `requires_grad` says, in the order of an `EpochOrder`."""

    def __init__(self, *, order: EpochOrder, identity: str, **options: Any) -> None:
        """Take the Trainer's own options, the order, and the digest of all that the run depends on."""
        self.order, self.identity = order, identity
        super().__init__(**options)
        self.remove_callback(PrinterCallback)
        self.remove_callback(ProgressCallback)

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:  # noqa: ARG002
        return self.order

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:  # noqa: ARG002
        save_trained(self.model, Path(output_dir or str(self.args.output_dir)), self.identity)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        try:
            super()._save_checkpoint(model, trial)
        except (OSError, RuntimeError, SafetensorError) as exc:
            if not is_about_writing(exc):
                raise
            raise MMLLMError(
                f"The checkpoint of step {self.state.global_step} can't be written to {self.args.output_dir} ({exc}). "
                "Make room and run the stage again: it goes on from the last complete checkpoint."
            ) from exc

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:  # noqa: ARG002
        load_trained(self.model, Path(resume_from_checkpoint), self.identity)

    def _load_best_model(self) -> None:
        load_trained(self.model, Path(str(self.state.best_model_checkpoint)), self.identity)
