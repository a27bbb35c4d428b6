import pytest

from tests.synthesis.gates.judged import GOOD, reason_of

FRENCH = "Un bateau de bois repose sur le sable près d'un mur bas et la lumière de midi tombe sur lui de la gauche"


@pytest.mark.parametrize("code", [0x00, 0x07, 0x7F, 0x85, 0x200B, 0x202E, 0xFEFF, 0xFFFD])
def test_unseen_characters_are_found_by_their_bytes(code: int) -> None:
    assert reason_of(f"{GOOD} a{chr(code)}b") == "unseen_characters/unseen_character"


def test_another_script_is_found_but_a_quoted_sign_passes() -> None:
    assert reason_of("На песке лежит деревянная лодка, и свет падает слева на низкую стену.") == "language/other_script"
    assert reason_of(f"{GOOD} A sign reads 出口.") is None


def test_another_language_in_latin_letters_is_found() -> None:
    assert reason_of(FRENCH) == "language/not_english"


def test_accents_and_typographic_marks_pass() -> None:
    assert reason_of(f"{GOOD} A “café” — naïve, façade… and the man’s coat.") is None
