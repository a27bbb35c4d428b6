"""Grounding: claims about a picture that what is known of it contradicts.

What is known has gaps: annotators list some of the objects, one scene, and what one person does. So a thing that is
mentioned and not listed is no contradiction, nor is a second scene, or another posture where there may be several
people: hallucinated things can't be seen from facts with gaps, and this gate does not try. It fires where both can't be
true: the text denies what is listed, calls the whole picture dark, bright, grey or colourful against what was measured,
takes an outdoor scene for an indoor one or the other way round, or gives the only person another posture. It knows the
plain forms of such claims below, and nothing that is meant, compared, or said in other words. Statements that are meant
to be false, and rejected answers, are not looked at.
"""

import functools
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from tinyemo_data.synthesis.gates.gate import SHOWN, Findings, quote, say_if
from tinyemo_data.synthesis.gates.limits import Limits

FILE = Path(__file__).with_name("grounding.yaml")
PICTURE = "(?:picture|image|photo|photograph)"
DEGREE = "(?:very |quite |rather |almost |mostly |overall |generally |extremely |fairly )*"


def _of_picture(words: str) -> str:
    """Return the pattern of the two plain ways to say something of the whole picture."""
    return rf"\b{PICTURE} is {DEGREE}(?:{words})\b|\b(?:is|shows) an? {DEGREE}(?:{words}) {PICTURE}\b"


DARK = _of_picture("dark|dim|dimly lit|poorly lit|underexposed")
BRIGHT = _of_picture("bright|brightly lit|well[- ]lit|overexposed")
GREY = _of_picture("in black and white|black[- ]and[- ]white|monochrome|gr[ae]y ?scale")
COLOURFUL = _of_picture("colou?rful|vibrant|vividly colou?red")
TAKEN = rf"\b(?:{PICTURE}|scene|setting) (?:is|was taken|is set|takes place)"
INDOORS, OUTDOORS = (
    rf"{TAKEN} {side}s\b|\b(?:is|shows) an {side} (?:scene|setting|space)\b" for side in ("indoor", "outdoor")
)
BUT = "(?: (?:else|but|other|except|besides))?"  # what makes a denial one of others
NOBODY = (
    rf"\bthere (?:is|are) (?:no people|nobody|no one|no humans?|no person){BUT}\b"
    rf"|\bno (?:people|humans?) (?:can be seen|appear|are visible){BUT}\b"
    r"|\b(?:devoid|empty) of (?:people|humans|human presence)\b"
)
DENIED = r"\bthere (?:is|are) no (?:visible )?[a-z]+(?: [a-z]+)?"
DENIED_WORD = r"^there (?:is|are) no (?:visible )?([a-z]+)"
EXCEPTING = r"(?:else|but|other|except|besides)$"
LONE = r"\b(?:a lone|a single|a solitary|the only) (?:person|figure|man|woman|child|boy|girl) (?:is )?([a-z]+)\b"


@functools.cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return data


def find_contradictions(limits: Limits) -> Findings:
    """Claims that contradict what annotators said or the program measured of the picture."""
    return {**_find_wrong_light(limits), **_find_wrong_setting(), **_find_denials(), **_find_wrong_posture()}


def _fact(name: str) -> pl.Expr:
    return pl.col("facts").struct.field(name)


def _plain_name(name: pl.Expr) -> pl.Expr:
    return name.str.to_lowercase().str.replace_all(r"[_/-]+", " ")


def _claims(pattern: str, where: pl.Expr, fact: str, value: pl.Expr) -> pl.Expr:
    """Return a claim and the fact that it contradicts, where it does."""
    return pl.when(where).then(pl.format(f"says {{}}, the {fact} is {{}}", quote("claimed", pattern), value))


def _find_wrong_light(limits: Limits) -> Findings:
    light, colour = _fact("brightness").round(2), _fact("colourfulness").round(1)
    return {
        "not_dark": _claims(DARK, light >= limits.not_dark_from, "brightness (0 to 1)", light),
        "not_bright": _claims(BRIGHT, light <= limits.not_bright_to, "brightness (0 to 1)", light),
        "not_grey": _claims(GREY, colour >= limits.not_grey_from, "colourfulness (M3)", colour),
        "not_colourful": _claims(COLOURFUL, colour <= limits.not_colourful_to, "colourfulness (M3)", colour),
    }


def _find_wrong_setting() -> Findings:
    scene = _plain_name(_fact("scene"))
    is_outdoor = scene.is_in(_data()["outdoor"]) | scene.str.ends_with(" outdoor")
    is_indoor = scene.is_in(_data()["indoor"]) | scene.str.ends_with(" indoor")
    return {
        "not_indoors": _claims(INDOORS, is_outdoor, "annotated scene", scene),
        "not_outdoors": _claims(OUTDOORS, is_indoor, "annotated scene", scene),
    }


def _find_denials() -> Findings:
    objects = _fact("objects").list.eval(_plain_name(pl.element()))
    is_person = objects.list.set_intersection(_data()["people"]).list.len() > 0
    somebody = is_person | _fact("human_action").is_not_null() | _fact("facial_expression").is_not_null()
    nobody = pl.col("claimed").str.extract(f"({NOBODY})", 1)
    denials = pl.col("claimed").str.extract_all(DENIED)
    plain = denials.list.eval(pl.element().filter(~pl.element().str.contains(EXCEPTING)))
    denied = plain.list.eval(pl.element().str.extract(DENIED_WORD, 1))
    listed = pl.concat_list(objects, *(objects.list.eval(pl.element() + ending) for ending in ("s", "es")))
    both = denied.list.set_intersection(listed)
    return {
        "people_denied": say_if(
            somebody & ~nobody.str.contains(EXCEPTING), "says '{}', a person is annotated", nobody.str.head(SHOWN)
        ),
        "object_denied": say_if(both.list.len() > 0, "denies '{}', which is annotated", both.list.first()),
    }


def _find_wrong_posture() -> Findings:
    posture_of = {word: name for name, words in _data()["postures"].items() for word in words}
    known = _plain_name(_fact("human_action")).str.extract(r"^([a-z]+)", 1)
    said = pl.col("claimed").str.extract(LONE, 1)
    known, seen = (word.replace_strict(posture_of, default=None, return_dtype=pl.String) for word in (known, said))
    return {"other_posture": say_if(seen != known, "says that the only person is {}, annotated is {}", seen, known)}
