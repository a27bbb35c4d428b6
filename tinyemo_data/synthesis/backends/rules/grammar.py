"""Sentence patterns: alternatives in brackets, slots for what is known, verbs that agree with a slot.

    (In|Within) this @picture, $things can be seen
    $subject $subject~tend to $effect

`(a|b)` picks one of its parts, `$name` puts in a phrase, `$name~verb` the present tense of a verb whose subject that
phrase is, `@name` stands for alternatives that many patterns share. Patterns are parsed once and filled often.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tinyemo_data.errors import PromptError

TOKEN = re.compile(
    r"\$(?P<slot>[a-z_]+)(?:~(?P<verb>[a-z]+))?|@(?P<shared>[a-z_]+)|(?P<mark>[(|)])|(?P<text>[^$@(|)]+)"
)
DEEPEST = 12  # shared alternatives inside shared alternatives


class Phrase(NamedTuple):
    """A piece of a sentence and its grammatical number."""

    text: str
    plural: bool = False


Phrases = Sequence[Phrase]
Slots = Mapping[str, Phrases]  # of each slot the phrases that would be true there


class Slot(NamedTuple):
    """A place for a phrase, or for a verb that agrees with it."""

    name: str
    verb: str | None


class Choice(NamedTuple):
    """Alternatives, each a sequence of parts."""

    options: tuple[tuple["Part", ...], ...]


Part = str | Slot | Choice


@dataclass(frozen=True, slots=True, eq=False)  # told apart by identity: patterns are keys of caches
class Pattern:
    """A parsed sentence pattern."""

    parts: tuple[Part, ...]
    slots: frozenset[str]  # all that it names
    source: str


def parse_pattern(source: str, shared: Mapping[str, str], where: str) -> Pattern:
    """Parse a pattern. Raises PromptError naming `where`, the pattern and what is wrong with it."""
    parts = _parse(source, shared, f"{where}: {source!r}", 0)
    return Pattern(parts, frozenset(_slots(parts)), source)


def _parse(source: str, shared: Mapping[str, str], where: str, depth: int) -> tuple[Part, ...]:
    if depth > DEEPEST:
        raise PromptError(f"{where}: '@' names go round in a circle. Break it.")
    open_choices: list[list[list[Part]]] = [[[]]]
    for token in _tokens(source, where):
        here = open_choices[-1][-1]
        if token["mark"] == "(":
            open_choices.append([[]])
        elif token["mark"] == "|" and len(open_choices) > 1:
            open_choices[-1].append([])
        elif token["mark"] == ")" and len(open_choices) > 1:
            options = open_choices.pop()
            open_choices[-1][-1].append(Choice(tuple(map(tuple, options))))
        elif token["mark"]:
            raise PromptError(f"{where}: '{token['mark']}' stands outside of brackets. Balance them.")
        elif token["shared"]:
            here.append(_share(token["shared"], shared, where, depth))
        else:
            here.append(Slot(token["slot"], token["verb"]) if token["slot"] else token["text"])
    if len(open_choices) > 1:
        raise PromptError(f"{where}: a bracket is not closed. Balance them.")
    return tuple(open_choices[0][0])


def _tokens(source: str, where: str) -> Iterator[re.Match[str]]:
    position = 0
    while position < len(source):
        token = TOKEN.match(source, position)
        if token is None:
            raise PromptError(f"{where}: expected $slot, $slot~verb or @name at {source[position : position + 12]!r}.")
        yield token
        position = token.end()


def _share(name: str, shared: Mapping[str, str], where: str, depth: int) -> Choice:
    if name not in shared:
        raise PromptError(f"{where}: there is no '@{name}'. Known: {', '.join(sorted(shared))}.")
    parts = _parse(f"({shared[name]})", shared, where, depth + 1)
    choice = parts[0]
    assert isinstance(choice, Choice)
    return choice


def _slots(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Slot):
            yield part.name
        elif isinstance(part, Choice):
            for option in part.options:
                yield from _slots(option)
