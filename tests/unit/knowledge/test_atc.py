"""A site's ATC list is read in the shapes it comes in, and matched with known ingredients only."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.errors import CDSError
from cds_service.knowledge.atc import (
    Ingredient,
    known_ingredients,
    match_list,
    read_list,
    systemic_only_keys,
    write_matches,
)
from cds_service.knowledge.codes import ATC, Tables
from tests.support.atc import atc_list, ingredient_of
from tests.support.overlays import LOCAL_SYSTEM, local_row, write_overlay
from tests.support.places import CARDS, TERMINOLOGY
from tests.unit.knowledge.folders import BASE

FIZZ, POP, CREAM = (
    Ingredient("Fizzate", ("fizz",)),
    Ingredient("popine", ("pop", "fizz")),
    Ingredient("cream", ("skin",)),
)
KNOWN = {one.name.casefold(): one for one in (FIZZ, POP, CREAM)}
ONE = ("X99XX01", "fizzate")


@pytest.mark.parametrize(
    "columns", [("code", "name"), ("ATC code", "ATC level name"), ("atc_code", "atc_name")]
)
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_shapes_of_a_list(columns: tuple[str, str], separator: str, mark: bytes) -> None:
    """Commas or semicolons, three spellings of the columns, with or without a byte order mark."""
    content = atc_list(ONE, ("x99xx02", '"two  words"'), columns=columns, separator=separator)
    assert read_list(mark + content) == {"X99XX01": "fizzate", "X99XX02": "two words"}


def test_columns_stand_anywhere_and_levels_above_the_last_are_passed_over() -> None:
    """Other columns and the groups of the classification do no harm, and a code may stand there once per dose."""
    content = atc_list(
        ("a", "fizzate", "X99XX01"),
        ("b", "fizzates", "X99XX"),
        ("c", "", "X99XX02"),
        ("d", "Fizzate", "X99XX01"),
        ("e",),
        columns=("dose", "name", "code"),
    )
    assert read_list(content) == {"X99XX01": "fizzate"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "The list is empty"),
        (b"\n\n", "The list is empty"),
        (b"code,name\n", "no ATC code of seven characters"),
        (atc_list(("X99XX", "fizzates")), "no ATC code of seven characters"),
        (
            atc_list(ONE, columns=("code", "title")),
            "no column atc level name or atc name or name.*: code, title",
        ),
        (atc_list(ONE, columns=("key", "name")), "no column atc code or code.*: key, name"),
        (atc_list(ONE, ("X99XX01", "popine")), "The code X99XX01 has two names, the second in line 3"),
        (b"code,name\nX99XX01,fizz\xe9\n", "not UTF-8"),
        (b'code,name\nX99XX01,"' + b"x" * 200_000 + b'"\n', "cannot be read as CSV near line 1"),
    ],
)
def test_a_list_that_is_none_is_told(content: bytes, told: str) -> None:
    """What is missing is named, and what is there instead."""
    with pytest.raises(CDSError, match=told):
        read_list(content)


@pytest.mark.parametrize(
    ("name", "ingredients"),
    [
        ("FIZZATE", [FIZZ]),
        ("fizzate and popine", [FIZZ, POP]),
        ("cream, fizzate and popine", [CREAM, FIZZ, POP]),
        ("fizzate and diuretics", []),
        ("fizzate, combinations", []),
        ("fizzates", []),
        ("fizzate sodium", []),
    ],
)
def test_which_names_match(name: str, ingredients: list[Ingredient]) -> None:
    """A name matches as a whole, without case, or as a combination of which every part is known."""
    found = match_list({"X99XX01": name}, KNOWN, frozenset(), ())
    assert [one for match in found.matches for one in match.ingredients] == ingredients
    assert found.unmatched == (not ingredients)


def test_forms_are_told_apart_where_only_some_count() -> None:
    """Of an ingredient in several main groups only the codes that the site calls systemic are taken."""
    codes = {
        "X99XX01": "cream",
        "Y99YY01": "Cream",
        "Y99YY02": "fizzate",
        "X99XX02": "fizzate",
        "Y99YY03": "popine",
    }
    without = match_list(codes, KNOWN, frozenset({"skin"}), ())
    assert ([match.code for match in without.matches], without.left_out, without.unmatched) == (
        ["X99XX02", "Y99YY02", "Y99YY03"],
        2,
        0,
    )
    assert without.without_code == ("cream",)
    chosen = match_list(codes, KNOWN, frozenset({"skin"}), ("Z", "Y99"))
    assert [match.code for match in chosen.matches] == ["X99XX02", "Y99YY01", "Y99YY02", "Y99YY03"]
    assert (chosen.left_out, chosen.without_code) == (1, ())


def test_a_combination_is_as_uncertain_as_its_parts() -> None:
    """A combination with such an ingredient is taken only where the site calls its code systemic."""
    codes = {
        "X99XX01": "cream",
        "Y99YY01": "cream",
        "Y99YY02": "cream and fizzate",
        "X99XX02": "fizzate and popine",
    }
    found = match_list(codes, KNOWN, frozenset({"skin"}), ("X99XX01",))
    assert [match.code for match in found.matches] == ["X99XX01", "X99XX02"]
    assert found.left_out == 2
    assert "Y99YY02" in {
        match.code for match in match_list(codes, KNOWN, frozenset({"skin"}), ("Y",)).matches
    }


def test_an_ingredient_in_one_group_needs_no_choice() -> None:
    """Where the list knows one main group only, there is nothing to tell apart."""
    assert len(match_list({"X99XX01": "cream"}, KNOWN, frozenset({"skin"}), ()).matches) == 1


def test_known_ingredients_are_those_of_the_table() -> None:
    """Each ingredient stands with every key of its rows, and keys read for systemic forms only are found."""
    known = known_ingredients(Tables(TERMINOLOGY))
    name = ingredient_of("thiazide_diuretic")
    assert known[name.casefold()] == Ingredient(name, ("thiazide_diuretic",))
    assert "corticosteroid_systemic" in systemic_only_keys(CARDS)
    assert "thiazide_diuretic" not in systemic_only_keys(CARDS)


def test_loading_again_replaces_the_atc_rows_only(tmp_path: Path) -> None:
    """Rows of other systems and pins of other tables stay, and the result is read without a fault."""
    other = local_row("medications", "ace_inhibitor", "M-1", "Our pill")
    signs = local_row("findings", "clonus", "C1", "Our clonus")
    site = write_overlay(tmp_path / "site", {}, {"medications": other, "findings": signs})
    first = match_list({"X99XX01": "fizzate", "X99XX02": "popine and fizzate"}, KNOWN, frozenset(), ())
    assert write_matches(site, first.matches, "our list") == 3
    tables = Tables(BASE / "terminology", site / "terminology", "site")
    assert tables.faults == []
    assert [row.code for row in tables.codes["medications", "fizz"]] == ["X99XX01", "X99XX02"]
    (both,) = tables.codes["medications", "pop"]
    assert (both.system, both.display, both.ingredient) == (ATC, "popine and fizzate", "popine; Fizzate")
    again = match_list({"X99XX09": "fizzate"}, KNOWN, frozenset(), ())
    assert write_matches(site, again.matches, "our list") == 2
    tables = Tables(BASE / "terminology", site / "terminology", "site")
    assert tables.faults == []
    assert ("medications", "pop") not in tables.codes
    assert [row.code for row in tables.codes["medications", "fizz"]] == ["X99XX09"]
    assert tables.codes["medications", "ace_inhibitor"][-1].system == LOCAL_SYSTEM
    assert tables.codes["findings", "clonus"][-1].code == "C1"


def test_a_table_that_was_changed_is_not_pinned_anew(tmp_path: Path) -> None:
    """Loading does not bless a change that nobody reviewed."""
    other = local_row("medications", "ace_inhibitor", "M-1", "Our pill")
    site = write_overlay(tmp_path / "site", {}, {"medications": other})
    path = site / "terminology" / "medications.csv"
    path.write_text(other.replace("M-1", "M-2"), "utf-8")
    matches = match_list({"X99XX01": "fizzate"}, KNOWN, frozenset(), ()).matches
    with pytest.raises(CDSError, match="correct them first") as refusal:
        write_matches(site, matches, "our list")
    assert refusal.value.where[0].startswith("site/terminology/MANIFEST.csv:2:")
    assert path.read_text("utf-8") == other.replace("M-1", "M-2")
