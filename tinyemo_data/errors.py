"""Every error a user can cause. Each message names the place, what was expected, what was found, and the mend."""

import difflib
from collections.abc import Iterable


class TinyEmoError(Exception):
    """Root of this project's errors: a message for people, no traceback needed to act on it."""


class SettingsError(TinyEmoError):
    """A profile, an environment variable or a launchpad value is unknown or out of range."""


class StoreError(TinyEmoError):
    """The store can't be read or written, or its content is not what this step may mix with."""


class TableError(TinyEmoError):
    """A table does not hold the columns or the values that its schema declares."""


class DatasetMissingError(TinyEmoError):
    """A dataset is not on this machine: the message says where to get it, its licence and the folder."""


class LayoutError(TinyEmoError):
    """A dataset's folder is there, but its files do not lie as the dataset is distributed."""


class UnknownLabelError(TinyEmoError):
    """A label is in no taxonomy that its dataset may use."""


class FeatureError(TinyEmoError):
    """Cached features are absent, damaged, or made by another encoder than the one asked for."""


class EncoderError(TinyEmoError):
    """A picture encoder can't be built: unknown model, weights that do not fit, or no such device."""


class LanguageModelError(TinyEmoError):
    """A language model's folder lacks what prototypes need, or its embedding matrix can't be told apart."""


class CheckpointError(TinyEmoError):
    """Projector weights can't be loaded: absent, damaged, or of another shape."""


class TrainingError(TinyEmoError):
    """There is nothing to train on, or training can't give a usable model."""


class PromptError(TinyEmoError):
    """A prompt template is absent, malformed, or was given other variables than it names."""


class LedgerError(TinyEmoError):
    """The request ledger can't be opened, is no ledger, or is another version's."""


class PriceError(TinyEmoError):
    """A model has no known price, so that no budget could hold."""


class BudgetError(TinyEmoError):
    """The budget's wall was reached: what was bought is kept, and the message says how to go on."""


class SynthesisError(TinyEmoError):
    """Asking a language model stopped: a key, a limit or a service; all that was answered is kept."""


class RehearsalError(TinyEmoError):
    """The rehearsal server can't be started, or was asked for something that it does not have."""


class InstructFileError(TinyEmoError):
    """A file of conversations can't be read, or has no shape that a trainer or an import takes."""


class AuditError(TinyEmoError):
    """What the bias audit is given does not fit together, or leaves no pair that could be tested."""


class RecordNotFoundError(TinyEmoError):
    """A record's id is in no instruct set, or in several."""


class RulesError(TinyEmoError):
    """The rules were asked for what they can't say: another task, a label that is not there, an unknown picture."""


class StagingError(TinyEmoError):
    """A repository can't be staged, or does not lie as it was staged."""


class LicenceError(TinyEmoError):
    """A staged repository holds what must not leave this house, or what nobody allowed to leave yet."""


class HubError(TinyEmoError):
    """The Hub can't be reached, or refused what was asked of it; nothing is half-published."""


class MMLLMError(TinyEmoError):
    """The MM-LLM can't be composed, trained, saved or asked: what does not fit, and which record or file it is."""


class ReviewError(TinyEmoError):
    """The review file says what can't be followed, or a step needs decisions that nobody made yet."""


class InterpretabilityError(TinyEmoError):
    """Nothing can be looked up by the word, the dataset or the picture that was asked for."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `" Did you mean 'x'?"` for the known word closest to `word`, or an empty string."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean '{matches[0]}'?" if matches else ""
