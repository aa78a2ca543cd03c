"""The feedback report: true counts on both databases, in every form, with nothing of a patient and no small number."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fhir.resources.R4B.measurereport import MeasureReport

from cds_service.cli.main import cli
from cds_service.store.feedback import KeptFeedback, keeping_feedback
from cds_service.store.shown import ShownCard, keeping_shown
from cds_service.store.store import Store
from cds_service.store.tally import Answer, answers, tally

AT = datetime(2026, 6, 15, 10, tzinfo=UTC)
DAY = timedelta(days=1)
PERIOD = ("--from", "2026-06-01", "--to", "2026-06-30")


def card(name: str, *rules: str, **changes: Any) -> ShownCard:
    """Return a card that was shown."""
    made = ShownCard(
        name,
        "ehr",
        "problem",
        "differential",
        "info",
        rules,
        ((f"s-{name}", "potassium"),),
        "v1",
        "p",
        "a",
        AT,
    )
    return made._replace(**changes)


def answer(name: str, outcome: str, reason: str | None = None, **changes: Any) -> KeptFeedback:
    """Return one answer, an hour after its card."""
    made = KeptFeedback(
        card=name,
        outcome=outcome,
        outcome_at=AT + timedelta(hours=1),
        suggestions=(f"s-{name}",) if outcome == "accepted" else (),
        reason_system="http://system" if reason else None,
        reason_code=reason,
    )
    return made._replace(**changes)


@pytest.fixture
def filled(store: Store) -> Store:
    """Return a store with ten accepted, six overridden and eight unanswered cards, and answers that do not count."""
    shown = [card(f"a{n}", "low-k") for n in range(10)]
    shown += [card(f"o{n}", "low-k", "rf", indicator="critical") for n in range(6)]
    shown += [card(f"u{n}", "rf", service="view", knowledge_version="v2") for n in range(8)]
    shown += [card("early", "low-k", shown_at=AT - 40 * DAY), card("late", "low-k", shown_at=AT + 40 * DAY)]
    said = [answer(f"a{n}", "accepted") for n in range(10)]
    said += [answer(f"o{n}", "overridden", "done", has_comment=True) for n in range(6)]
    said += [answer("a0", "overridden", "done", outcome_at=AT), answer("o0", "accepted", outcome_at=AT)]
    said += [answer("early", "accepted"), answer("nobody", "overridden", "done")]
    store.writer.commit(keeping_shown(shown), 5)
    store.writer.commit(keeping_feedback("ehr", "problem", said, AT), 5)
    foreign = keeping_feedback("stranger", "problem", [answer("u1", "accepted")], AT)
    store.writer.commit(foreign, 5)
    return store


@pytest.fixture
def run(filled: Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what runs `cds-service report feedback` on the filled store."""
    monkeypatch.setenv("DATABASE_URL", filled.database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("COLUMNS", "120")

    def report(*options: str) -> Result:
        return CliRunner().invoke(cli, ["report", "feedback", *PERIOD, *options])

    return report


def test_the_counts_are_true(filled: Store) -> None:
    """The last answer of the own client counts, once per card; other days and strangers do not."""
    with filled.database.reading() as connection:
        counts = tally(connection, AT - 10 * DAY, AT + 10 * DAY)
    assert counts.total == {"shown": 24, "accepted": 10, "overridden": 6, "unanswered": 8}
    assert counts.sections["rule"] == {
        "low-k": {"shown": 16, "accepted": 10, "overridden": 6, "unanswered": 0},
        "rf": {"shown": 14, "accepted": 0, "overridden": 6, "unanswered": 8},
    }
    assert counts.sections["reason"] == {"done": {"overridden": 6}}
    assert counts.sections["service"]["view"]["shown"] == 8
    assert counts.sections["knowledge"]["v1"]["accepted"] == 10
    assert counts.sections["indicator"]["critical"]["overridden"] == 6
    assert (counts.unknown, counts.comments) == (2, 6)


def test_the_period_is_by_the_day_a_card_was_shown(filled: Store) -> None:
    """Its first moment is in it, its last is not."""
    with filled.database.reading() as connection:
        assert tally(connection, AT, AT + DAY).total["shown"] == 24
        assert tally(connection, AT - DAY, AT).total["shown"] == 0


def test_the_table_is_for_a_person(run: Any) -> None:
    """Sections, rows and numbers stand in it."""
    told = run()
    assert told.exit_code == 0, told.output
    for text in ("All cards", "By rule", "low-k", "16", "Overridden, by reason", "2026-06-01 to 2026-06-30"):
        assert text in told.output
    assert "Answers about unknown cards: <5; answers with a comment: 6" in told.output


def test_csv_has_one_number_per_line(run: Any) -> None:
    """A program can add them up."""
    lines = list(csv.reader(io.StringIO(run("--format", "csv").output)))
    assert lines[0] == ["section", "row", "column", "number"]
    assert ["rule", "rf", "unanswered", "8"] in lines
    assert ["total", "all", "shown", "24"] in lines


def test_json_holds_the_same(run: Any) -> None:
    """Numbers are numbers, hidden ones strings."""
    told = json.loads(run("--format", "json", "--fewest", "7").output)
    assert (told["from"], told["to"], told["fewest"]) == ("2026-06-01", "2026-06-30", 7)
    assert told["sections"]["total"] == [
        {"row": "all", "shown": "*", "accepted": "*", "overridden": "*", "unanswered": "*"}
    ]
    assert told["sections"]["reason"] == [{"row": "done", "overridden": "<7"}]


@pytest.mark.parametrize("fewest", ["1", "7"])
def test_the_measure_report_is_valid_fhir(run: Any, fewest: str) -> None:
    """It validates as R4, with hidden numbers masked."""
    told = json.loads(run("--format", "fhir", "--fewest", fewest).output)
    MeasureReport.model_validate(told)
    (group,) = told["group"]
    assert [one["code"]["text"] for one in group["population"]] == [
        "shown",
        "accepted",
        "overridden",
        "unanswered",
    ]
    counts = [one.get("count") for one in group["population"]]
    assert counts == ([24, 10, 6, 8] if fewest == "1" else [None] * 4)
    sections = {one["code"][0]["text"] for one in group["stratifier"]}
    assert sections == {"rule", "reason", "service", "knowledge", "indicator"}


def test_the_export_lists_every_answer_of_known_cards(run: Any, filled: Store) -> None:
    """Each with rule, action, reason and moment; no digest of a patient is in it, nor a card of a stranger."""
    told = run("--export").output
    lines = list(csv.DictReader(io.StringIO(told)))
    assert len(lines) == 18
    first = next(line for line in lines if line["card"] == "a3")
    assert (first["rules"], first["outcome"], first["accepted_orders"]) == ("low-k", "accepted", "potassium")
    assert first["outcome_at"] == "2026-06-15T11:00:00+00:00"
    assert not {"patient", "advice"} & set(Answer._fields)
    with filled.database.reading() as connection:
        assert len(list(answers(connection, AT - 100 * DAY, AT + 100 * DAY))) == 19
    as_json = [json.loads(line) for line in run("--export", "--format", "json").output.splitlines()]
    assert [one["card"] for one in as_json] == [line["card"] for line in lines]
    assert run("--export", "--format", "fhir").exit_code != 0


@pytest.mark.parametrize("planted", ["=1+1", "+1", "-1", "@SUM(A1)", "\x1b[31mred", '=HYPERLINK("x")'])
def test_no_text_of_a_client_is_run_or_colors_a_terminal(run: Any, filled: Store, planted: str) -> None:
    """A reason is what a client sent: in a spreadsheet it is no formula, at a terminal no command."""
    said = [answer(f"o{n}", "overridden", planted, outcome_at=AT + 9 * DAY) for n in range(6)]
    filled.writer.commit(keeping_feedback("ehr", "problem", said, AT), 5)
    for options in ((), ("--format", "csv"), ("--export",)):
        told = run(*options).output
        assert "\x1b[31m" not in told
        if options:
            cells = [cell for line in csv.reader(io.StringIO(told)) for cell in line]
            assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_an_empty_period_is_no_fault(run: Any) -> None:
    """Nothing was shown: every form says so."""
    for form in ("table", "csv", "json", "fhir"):
        told = run("--from", "2020-01-01", "--to", "2020-01-02", "--format", form)
        assert told.exit_code == 0, told.output
    assert run("--from", "2026-07-02").exit_code != 0
