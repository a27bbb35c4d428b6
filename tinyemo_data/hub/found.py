"""What was found that must not leave."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Found:
    """One thing that must not leave."""

    path: str
    where: str  # line, or column and row; empty: the file itself
    reason: str  # picture, absolute_path, api_key, …
    meaning: str  # for people

    def __str__(self) -> str:
        return f"{self.path}{f', {self.where}' if self.where else ''}: {self.meaning}"
