"""Gate three: the named checks that no single file can show. Each has a name; none of them judges a patient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from cds_service.knowledge import logic_checks, questionnaire_checks, reference_checks, wording_checks
from cds_service.knowledge.draft import Draft
from cds_service.model.faults import Fault

CHECKS: Mapping[str, Callable[[Draft], Iterator[Fault]]] = {
    "file-name": reference_checks.file_name,
    "unknown-reference": reference_checks.unknown_reference,
    "unknown-statement": reference_checks.unknown_statement,
    "unknown-code-key": reference_checks.unknown_code_key,
    "unknown-code": reference_checks.unknown_code,
    "unknown-finding": reference_checks.unknown_finding,
    "unknown-value-set": reference_checks.unknown_value_set,
    "unknown-result": reference_checks.unknown_result,
    "unit-without-conversion": logic_checks.unit_without_conversion,
    "overlapping-limits": logic_checks.overlapping_limits,
    "limit-direction": logic_checks.limit_direction,
    "duplicate-finding": reference_checks.duplicate_finding,
    "finding-without-fact": logic_checks.finding_without_fact,
    "circular-rules": logic_checks.circular_rules,
    "summary-too-long": wording_checks.summary_too_long,
    "unknown-placeholder": wording_checks.unknown_placeholder,
    "uncited-source": reference_checks.uncited_source,
    "unused-definition": reference_checks.unused_definition,
    "questionnaire-item": questionnaire_checks.questionnaire_item,
    "review-overdue": wording_checks.review_overdue,
    "careless-wording": wording_checks.careless_wording,
}


def cross_file_faults(draft: Draft) -> list[Fault]:
    """Run every named check and return all faults."""
    return [fault for check in CHECKS.values() for fault in check(draft)]
