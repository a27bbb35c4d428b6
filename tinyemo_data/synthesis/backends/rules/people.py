"""People in a picture: what stands in a sentence for what they do and how they look."""

from tinyemo_data.synthesis.backends.rules import kinds
from tinyemo_data.synthesis.backends.rules.grammar import Phrase, Phrases
from tinyemo_data.synthesis.backends.rules.nouns import Name, article
from tinyemo_data.synthesis.backends.rules.sight import Face


def describe_action(action: Name) -> str | None:
    """Return what stands behind "someone is", or None for an action that is no verb in -ing."""
    special = kinds.special_pose(action.text)
    if special is not None:
        return special[0]
    return action.text if action.is_plain and action.text.split()[0].endswith("ing") else None


def describe_someone(action: Name) -> Phrases:
    """Return phrases for whoever does something."""
    special, doing = kinds.special_pose(action.text), describe_action(action)
    if special is not None:
        return (Phrase(f"someone {special[1]}"),)
    if doing is not None:
        return (Phrase(f"someone {doing}"), Phrase(f"a person who is {doing}"))
    return (Phrase(f'someone whose action is called "{action.text}"'),)


def describe_face(face: Face) -> Phrase:
    """Return a face with its article: as it looks, or where only a feeling is known, in words that name none."""
    if face.is_felt and face.kind is not None:
        return Phrase(kinds.felt_face(face.kind))
    looks = face.name.text
    feature = kinds.face_feature(looks)
    if feature is not None:
        return Phrase(f"a face with {feature}")
    if face.name.is_plain and (face.kind is not None or looks.endswith("ing")):
        return Phrase(f"{article(looks)} {looks} face")
    return Phrase(f'a face whose expression is called "{looks}"')
