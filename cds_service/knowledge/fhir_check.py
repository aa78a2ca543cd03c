"""Validates drafts and questionnaires against FHIR R4; only `check` and tests load it, never the serving process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir.resources.R4B.questionnaire import Questionnaire
from fhir.resources.R4B.servicerequest import ServiceRequest
from pydantic import ValidationError

from cds_service.model.definitions import Knowledge
from cds_service.model.faults import Fault

CHECK = "draft-order"


def draft_faults(knowledge: Knowledge) -> list[Fault]:
    """Return a fault for each order whose draft could not be a ServiceRequest, or whose draft code is not its own."""
    faults = []
    for order in knowledge.orders.values():
        rows = [
            row
            for ref in order.codes
            for row in knowledge.codes[ref.table, ref.key]
            if not ref.only or row.code in ref.only
        ]
        where = f"orders/{order.id}.yaml"
        if order.draft_code is not None and order.draft_code not in {row.code for row in rows}:
            faults.append(
                Fault(where, 1, "draft_code", CHECK, "It is not among the codes.", "Take one of the table.")
            )
        try:
            ServiceRequest.model_validate(
                {
                    "resourceType": "ServiceRequest",
                    "status": "draft",
                    "intent": "proposal",
                    "priority": order.priority,
                    "code": {
                        "coding": [
                            {"system": row.system, "code": row.code, "display": row.display} for row in rows
                        ]
                        or None,
                        "text": order.title,
                    },
                    "subject": {"reference": "Patient/example"},
                    "note": [{"text": order.note or order.title}],
                }
            )
        except ValidationError as error:
            text = f"The draft is not FHIR R4: {error.error_count()} faults."
            faults.append(Fault(where, 1, "", CHECK, text, "Correct title, codes or note."))
    return faults


def questionnaire_faults(resources: Mapping[str, Mapping[str, Any]]) -> list[Fault]:
    """Return a fault for each questionnaire that could not be served: `resources` are those built, by id."""
    faults = []
    for name, resource in resources.items():
        try:
            Questionnaire.model_validate(resource)
        except ValidationError as error:
            first = ".".join(str(step) for step in error.errors(include_url=False)[0]["loc"])
            text = f"The Questionnaire is not FHIR R4: {error.error_count()} faults, the first at {first}."
            where = f"questionnaires/{name}.yaml"
            faults.append(Fault(where, 1, "", "questionnaire-resource", text, "Correct the file."))
    return faults
