"""The content's words compiled for reading: code indexes, phrase books and unit tables, made once at start-up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from cds_service.fhir.codings import CodeIndex, has_loinc
from cds_service.fhir.quantities import UnitTable
from cds_service.fhir.shapes import CodeableConcept
from cds_service.fhir.text import PhraseBook, compile_phrases
from cds_service.fhir.words import wording
from cds_service.model.definitions import Knowledge, Lab, Presentation, ValueSet
from cds_service.model.parts import CodeRow, CodeTableRef, TextPattern
from cds_service.model.questionnaires import Questionnaire

PRESENTATION = "presentation:"
"""Prefix that keeps presentations apart from value sets in the condition index."""

_STRENGTH = re.compile(r"(?:^|\s+\(?|(?<=[A-Za-z]{3})\(?)\d.*$")
"""From the first number on, unless it belongs to the name (B12, D3)."""
_LONGEST_NAME = 200
"""Characters of the name of a test that are read."""
_INGREDIENT_TYPES = frozenset({"medications"})
_LOCAL_FORMS = TextPattern(
    match=(
        *(
            "cream",
            "ointment",
            "gel",
            "lotion",
            "topical",
            "shampoo",
            "patch",
            "spray",
            "nasal",
            "inhal*",
            "nebul*",
        ),
        *("eye", "ophthalmic", "ear", "otic", "enema", "rectal"),
    )
)


class Vocabulary:
    """What a code, a phrase or a unit means, by the knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Compile everything that reading needs."""
        self.labs: Mapping[str, Lab] = knowledge.labs
        problems: dict[str, ValueSet] = {
            name: value_set
            for name, value_set in knowledge.value_sets.items()
            if value_set.kind != "medication"
        }
        medicines = {
            name: value_set
            for name, value_set in knowledge.value_sets.items()
            if value_set.kind == "medication"
        }
        presentations = {PRESENTATION + name: item for name, item in knowledge.presentations.items()}
        words: dict[str, ValueSet | Presentation] = {**problems, **presentations}
        self.problem_codes = CodeIndex(
            {name: _rows(item.codes, knowledge.codes) for name, item in words.items()}
        )
        self.problem_text = PhraseBook(
            {name: item.text for name, item in words.items() if item.text is not None}
        )
        self.medicine_codes = CodeIndex(
            {name: _medicine_rows(value_set, knowledge.codes) for name, value_set in medicines.items()}
        )
        self._every_medicine = frozenset(
            row.code for value_set in medicines.values() for row in _every_row(value_set, knowledge.codes)
        )
        self._compile_ingredients(medicines, knowledge)
        self.lab_codes = CodeIndex(
            {name: _rows(lab.codes, knowledge.codes) for name, lab in knowledge.labs.items()}
        )
        lab_words = {name: lab.text for name, lab in knowledge.labs.items() if lab.text is not None}
        self._lab_text = PhraseBook(lab_words)
        self._lab_names = {
            name: (compile_phrases(text.match), compile_phrases(text.unless) if text.unless else None)
            for name, text in lab_words.items()
        }
        self._official = frozenset(
            (name, row.display)
            for name in lab_words
            for row in _rows(knowledge.labs[name].codes, knowledge.codes)
        )
        self.units = {
            name: UnitTable(lab, knowledge.conversions, knowledge.spellings)
            for name, lab in knowledge.labs.items()
        }
        self.order_codes = CodeIndex(
            {name: _rows(order.codes, knowledge.codes) for name, order in knowledge.orders.items()}
        )
        self.order_text = PhraseBook(
            {name: order.text for name, order in knowledge.orders.items() if order.text is not None}
        )
        self.urgent_orders = frozenset(
            name for name, order in knowledge.orders.items() if order.priority != "routine"
        )
        self.questionnaires: Mapping[str, Questionnaire] = knowledge.questionnaires
        self.order_covers = {name: frozenset(order.covers) for name, order in knowledge.orders.items()}

    def _compile_ingredients(self, medicines: Mapping[str, ValueSet], knowledge: Knowledge) -> None:
        by_code: dict[str, str] = {}
        by_ingredient: dict[str, set[str]] = {}
        for name, value_set in medicines.items():
            for row in _medicine_rows(value_set, knowledge.codes):
                if row.ingredient:
                    by_code[row.code] = row.ingredient.replace("; ", " / ")
            for ref in value_set.codes:
                if ref.table in _INGREDIENT_TYPES:
                    for row in _rows((ref,), knowledge.codes):
                        by_ingredient.setdefault(row.ingredient or row.display, set()).add(name)
        self.ingredient_of_code = by_code
        self.sets_of_ingredient = {name: frozenset(sets) for name, sets in by_ingredient.items()}
        self.ingredient_text = PhraseBook({name: TextPattern(match=(name,)) for name in by_ingredient})
        self.medicine_text = PhraseBook(
            {name: value_set.text for name, value_set in medicines.items() if value_set.text is not None}
        )
        self.systemic_only = frozenset(
            name for name, value_set in medicines.items() if value_set.systemic_only
        )
        self.local_form = PhraseBook({"local": _LOCAL_FORMS})

    def medicine_names(self, concept: CodeableConcept) -> tuple[frozenset[str], str, bool]:
        """Return (value sets, the name by ingredient, whether only the text told); codes are tried before words."""
        sets = self.medicine_codes.names(concept)
        words = wording(concept)
        if sets & self.systemic_only and self._is_local(concept):
            sets -= self.systemic_only
        if sets:
            known = (self.ingredient_of_code.get(coding.code or "") for coding in concept.coding or ())
            return sets, next((name for name in known if name), plain_name(words)), False
        ingredients = sorted(self.ingredient_text.find(words))
        for name in ingredients:
            sets |= self.sets_of_ingredient[name]
        sets |= self.medicine_text.find(words)
        if sets & self.systemic_only and self._is_local(concept):
            sets -= self.systemic_only
        return sets, " / ".join(ingredients) or plain_name(words), True

    def may_be_named_in_words(self, concept: CodeableConcept) -> bool:
        """Whether the words of a concept may tell what was measured: no code of LOINC does."""
        return not has_loinc(concept)

    def labs_in_words(self, concept: CodeableConcept) -> frozenset[str]:
        """Return the labs that the words of a concept name: its text, else its displays."""
        found = frozenset[str]()
        for words in _wordings(concept):
            found |= self._lab_text.find(words)
            if found and concept.text:
                break
        return found

    def is_contradicted(self, lab: str, concept: CodeableConcept | None) -> bool:
        """Whether the words of a concept name another measurement than `lab`, which its code means."""
        names = self._lab_names.get(lab)
        if concept is None or names is None:
            return False
        own, decoys = names
        is_named, others = False, []
        for words in (concept.text, *(coding.display for coding in concept.coding or ())):
            if not words:
                continue
            if (lab, words) in self._official:  # the usual case, and cheap
                is_named = True
                continue
            clause = _one_clause(words)
            if own.search(clause) is None:
                others.append(clause)
            elif decoys is not None and decoys.search(clause) is not None:
                return True  # "in urine"
            else:
                is_named = True
        is_other = not is_named and any(self._lab_text.find(clause) for clause in others)
        return is_other and not is_named

    def is_known_medicine(self, concept: CodeableConcept | None) -> bool:
        """Whether a concept says what the medicine is: in words, or by a code that stands in a table."""
        if concept is None:
            return False
        return bool(wording(concept)) or any(
            coding.code in self._every_medicine for coding in concept.coding or ()
        )

    def _is_local(self, concept: CodeableConcept) -> bool:
        """Whether any words of a medicine name a form that stays where it is put, a cream or drops."""
        words = (concept.text, *(coding.display for coding in concept.coding or ()))
        return any(self.local_form.find(each) for each in words)


def _wordings(concept: CodeableConcept) -> list[str]:
    """Return the words of a concept as single clauses: in the name of a test a full stop ends nothing."""
    words = [concept.text, *(coding.display for coding in concept.coding or ())]
    return [_one_clause(each) for each in words if each]


def _one_clause(words: str) -> str:
    return words[:_LONGEST_NAME].replace(".", " ").replace(";", " ")


def plain_name(words: str) -> str:
    """Return a medicine's name without strength and form: everything before the first number."""
    return _STRENGTH.sub("", words).strip(" ,") or "medicine"


def _rows(
    refs: Iterable[CodeTableRef], codes: Mapping[tuple[str, str], tuple[CodeRow, ...]]
) -> list[CodeRow]:
    return [row for ref in refs for row in codes[ref.table, ref.key] if ref.selects(row)]


def _medicine_rows(
    value_set: ValueSet, codes: Mapping[tuple[str, str], tuple[CodeRow, ...]]
) -> list[CodeRow]:
    """Return the rows that mean the value set: without the local forms where it takes systemic ones only."""
    rows = _every_row(value_set, codes)
    return [row for row in rows if row.systemic] if value_set.systemic_only else rows


def _every_row(value_set: ValueSet, codes: Mapping[tuple[str, str], tuple[CodeRow, ...]]) -> list[CodeRow]:
    """Return ingredients and, for each ingredient key, all products that contain them."""
    products = [
        CodeTableRef(table="medication_products", key=ref.key)
        for ref in value_set.codes
        if ref.table == "medications" and ("medication_products", ref.key) in codes
    ]
    return _rows((*value_set.codes, *products), codes)
