import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.synthesis.rules.claims import COOL, FAMILIES, SIDE, WARM, in_its_cell, name_by_hand, oklab
from tinyemo_data.synthesis.backends.rules.colour_names import CELLS, COLOURS, families, name_colour, temperature
from tinyemo_data.synthesis.backends.rules.palette import FAR_APART, read_palette

TABLE = yaml.safe_load(COLOURS.read_text(encoding="utf-8"))["families"]

channels = st.integers(0, 255)
colours = st.builds("#{:02x}{:02x}{:02x}".format, channels, channels, channels)


@given(colours)
@settings(deadline=None)  # the first call names all cells
def test_name_colour_gives_the_nearest_of_all_names(colour: str) -> None:
    found = name_colour(colour)
    assert found is not None
    assert (found.name, found.family) in {name_by_hand(near) for near in in_its_cell(colour)}
    assert found.lightness == pytest.approx(oklab(TABLE[found.family][found.name])[0], abs=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_names_are_unique_and_end_in_their_family(family: str) -> None:
    assert all(name.split()[-1] == family for name in TABLE[family])
    assert sum(name in names for names in TABLE.values() for name in TABLE[family]) == len(TABLE[family])
    assert set(families()) == set(FAMILIES) and CELLS * SIDE == 256


@pytest.mark.parametrize(
    ("colour", "family"),
    [
        ("#000000", "black"), ("#ffffff", "white"), ("#808080", "grey"), ("#ff0000", "red"), ("#ff8000", "orange"),
        ("#ffff00", "yellow"), ("#00a000", "green"), ("#008080", "teal"), ("#0000ff", "blue"), ("#800080", "purple"),
        ("#ff69b4", "pink"), ("#8b4513", "brown"),
    ],
)  # fmt: skip
def test_plain_colours_have_their_plain_family(colour: str, family: str) -> None:
    found = name_colour(colour)
    assert found is not None and found.family == family


@pytest.mark.parametrize("level", range(0, 256, 4))
def test_no_grey_is_named_after_a_colour(level: int) -> None:
    found = name_colour(f"#{level:02x}{level:02x}{level:02x}")
    assert found is not None and temperature(found.family) == "neutral"


@pytest.mark.parametrize("text", ["", "red", "#fff", "#gggggg", "#1234567", "123456", "#12345\n"])
def test_name_colour_gives_none_for_what_is_no_colour(text: str) -> None:
    assert name_colour(text) is None


@settings(deadline=None)
@given(
    st.lists(st.tuples(colours, st.floats(0.01, 0.3)), max_size=5).filter(lambda pairs: sum(s for _, s in pairs) <= 1),
    st.lists(st.sampled_from(FAMILIES), min_size=1, max_size=4),
)
def test_a_palette_claims_nothing_that_the_unknown_pixels_could_belie(
    pairs: list[tuple[str, float]], hidden: list[str]
) -> None:
    palette = read_palette(pairs)
    shares = dict.fromkeys(FAMILIES, 0.0) | dict(palette.families)
    for family in hidden:  # what the unknown pixels might be
        shares[family] += palette.unknown_share / len(hidden)
    leading, prevailing = palette.leading_family, palette.prevailing_family
    assert leading is None or all(shares[leading] > shares[other] for other in FAMILIES if other != leading)
    assert prevailing is None or shares[prevailing] >= 0.5
    assert all(shares[family] < 0.5 for family in FAMILIES if palette.surely_not_mostly(family))
    warm, cool = (sum(shares[family] for family in side) for side in (WARM, COOL))
    assert palette.warmth is None or (warm > cool) == (palette.warmth == "warm")


def test_a_palette_has_a_range_where_its_main_colours_are_far_apart() -> None:
    assert read_palette([("#101010", 0.4), ("#f0f0f0", 0.3), ("#ffffff", 0.02)]).tonal_range == (
        "milky white",
        "soft black",
    )
    assert read_palette([("#808080", 0.5), ("#929591", 0.5)]).tonal_range is None
    assert FAR_APART > 0


@pytest.mark.parametrize(
    ("family", "side"), [("red", "warm"), ("teal", "cool"), ("grey", "neutral"), ("green", "green")]
)
def test_temperature_tells_the_side_of_a_family(family: str, side: str) -> None:
    assert temperature(family) == side


@pytest.mark.parametrize(
    "pairs", [[["#000000"]], [[1, 0.5]], ["#000000"], [["#000000", "x"]], [["#000000", 2.0]], [None]]
)
def test_read_palette_takes_nothing_from_what_is_no_colour_with_a_share(pairs: list[object]) -> None:
    assert read_palette(pairs).families == {}
