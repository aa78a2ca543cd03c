"""Serves the questionnaires as FHIR resources; it takes no answers, those arrive with the hook calls."""

from __future__ import annotations

from flask import Blueprint, Response, abort

from cds_service.fhir.questionnaire_resource import questionnaire_json
from cds_service.model.definitions import Knowledge
from cds_service.web.problems import FHIR_JSON


def blueprint(knowledge: Knowledge) -> Blueprint:
    """Return the route of the questionnaires, each built once."""
    routes = Blueprint("questionnaires", __name__)
    built = {
        name: questionnaire_json(questionnaire, knowledge.version)
        for name, questionnaire in knowledge.questionnaires.items()
    }

    @routes.get("/fhir/Questionnaire/<name>")
    def read(name: str) -> Response:
        if name not in built:
            abort(404)
        return Response(built[name], content_type=FHIR_JSON)

    return routes
