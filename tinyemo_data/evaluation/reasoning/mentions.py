"""Which things, places, actions and faces a text says to be in a picture, of those that annotators name at all."""

from collections.abc import Iterable
from dataclasses import dataclass

from tinyemo_data.evaluation.reasoning.texts import argument_of
from tinyemo_data.evaluation.reasoning.word_forms import aside, canonical
from tinyemo_data.synthesis.diversity import WORD
from tinyemo_data.synthesis.subject import Facts

PERSON = "person"
LONGEST = 4  # words of a name


@dataclass(frozen=True)
class Vocabulary:
    """What can be mentioned, as canonical names."""

    names: frozenset[str]

    def find(self, text: str) -> set[str]:
        """Return the names that an answer says to be in the picture, each once.

        The longest name counts: a bare tree is no tree beside. What is only compared is passed over.
        """
        words = WORD.findall(aside().sub(" . ", argument_of(text)).lower())
        found, place = set(), 0
        while place < len(words):
            size, name = self._at(words, place)
            if name is not None:
                found.add(name)
            place += size
        return found

    def _at(self, words: list[str], place: int) -> tuple[int, str | None]:
        for size in range(min(LONGEST, len(words) - place), 0, -1):
            name = canonical(" ".join(words[place : place + size]))
            if name in self.names:
                return size, name
        return 1, None


def vocabulary_of(facts: Iterable[Facts]) -> Vocabulary:
    """Return what the annotations of some pictures name: objects, scenes, actions and facial expressions."""
    return Vocabulary(frozenset({name for one in facts for name in annotated_names(one)} | {PERSON}))


def annotated_names(facts: Facts) -> set[str]:
    """Return the canonical names of what is annotated in one picture."""
    words = [*facts.objects, facts.scene, facts.human_action, facts.facial_expression, facts.theme]
    return {name for word in words if word and (name := canonical(word))}


def known_names(facts: Facts) -> set[str]:
    """Return all that an answer may mention of a picture.

    What is annotated as a kind of a thing is the thing as well, and with a face or an action there is a person.
    """
    names = annotated_names(facts)
    names |= {canonical(name.split()[-1]) for name in names}
    return names | {PERSON} if facts.human_action or facts.facial_expression else names
