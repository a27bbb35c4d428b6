"""Where the MM-LLM runs: the device, and the other processes of the same run, if any."""

import torch
from accelerate import PartialState  # type: ignore[import-untyped]

from tinyemo_data.errors import MMLLMError

__all__ = ["PartialState", "find_device", "join_processes", "same_everywhere"]


def find_device(name: str) -> torch.device:
    """Return the device; `auto` is CUDA where there is some. Raises MMLLMError for one that is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name not in ("cpu", "cuda") or (name == "cuda" and not torch.cuda.is_available()):
        raise MMLLMError(
            f"mm_llm.device: '{name}' is asked for; torch sees {torch.cuda.device_count()} CUDA devices here. "
            "Give auto, cpu or cuda."
        )
    return torch.device(name)


def join_processes(device: str) -> PartialState:
    """Return the processes of this run, this one among them; alone where no launcher started it."""
    return PartialState(cpu=find_device(device).type == "cpu")


def same_everywhere(value: str) -> str:
    """Return the first process's value in every process of a run."""
    from accelerate.utils import broadcast_object_list  # type: ignore[import-untyped]

    if PartialState().num_processes == 1:
        return value
    found: list[str] = broadcast_object_list([value])
    return found[0]
