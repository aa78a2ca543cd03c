"""`cds-service replay`: decides recorded patients again and holds them to what is expected; it stores nothing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cds_service.app import reasoner_for
from cds_service.cards.markdown import clean
from cds_service.cli.audit import record_command
from cds_service.cli.replay_output import Cards, JSONLines, Output, SummaryLines, Tables
from cds_service.errors import CDSError
from cds_service.replay.files import Found, find_files, printable, size_of
from cds_service.replay.interrupts import whole_step
from cds_service.replay.junit import JUnitFile
from cds_service.replay.moments import moment_named
from cds_service.replay.plan import Plan, Result, Task
from cds_service.replay.remote import Remote, RemoteReplayer
from cds_service.replay.replayer import Content
from cds_service.replay.tasks import tasks_of
from cds_service.replay.totals import Totals
from cds_service.replay.worker import replayed
from cds_service.settings import Settings, read_settings
from cds_service.web.clock import now

_TOKEN = "CDS_REPLAY_TOKEN"  # noqa: S105 - the name of the variable, not a token
_FAILED, _UNREADABLE, _INTERRUPTED = 1, 2, 130
_BYTES_A_JOB = 2 * 1024 * 1024
"""Below this a further process takes longer to start than it saves."""
_AGAINST_JOBS = 4
_WIDTH = 120
"""Of what is written to a file; a terminal tells its own width."""
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command, as given."""

    record: str | None
    as_of: str | None
    as_json: bool
    summary: bool
    cards: bool
    junit: Path | None
    overlay: Path | None
    compare: Path | None
    text: bool
    strict: bool
    record_expectations: bool
    by_patient: bool
    jobs: int | None
    against: str | None
    insecure: bool
    ca_file: Path | None


@click.command(
    epilog="Exit status: 0 every expectation holds and no answer differs; 1 one does not, or a fault of ours; "
    "2 wrong usage, or something could not be read or answered; 3 the content has a fault; 130 interrupted."
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--record", metavar="WORDS", help="For plain Bundles: the problem that the clinician records.")
@click.option(
    "--as-of",
    metavar="MOMENT",
    help="Decide at this date or date-time (default: the expectation's, the request's, else now).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line per patient.")
@click.option("--summary", is_flag=True, help="Print one line of words per patient.")
@click.option("--cards", is_flag=True, help="Print the cards of every patient (default for a single file).")
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), help="Also write a JUnit XML report."
)
@click.option(
    "--overlay", type=_FOLDER, help="A site's own folder, laid over the content (default: CDS_CARDS_OVERLAY)."
)
@click.option(
    "--compare",
    type=_FOLDER,
    metavar="CARDS",
    help="Decide by this content or overlay too, and show whose answer differs and why.",
)
@click.option("--text", is_flag=True, help="With --compare: show the changed text of the cards.")
@click.option(
    "--strict", is_flag=True, help="Hold resources to FHIR R4 and messages to CDS Hooks; a breach fails."
)
@click.option(
    "--record-expectations", is_flag=True, help="Write a first expectation, for review, where there is none."
)
@click.option("--by-patient", is_flag=True, help="NDJSON: take consecutive lines about one patient together.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    help="How many processes, or calls with --against (default: by input and cores).",
)
@click.option(
    "--against",
    metavar="URL",
    help=f"Ask this CDS service instead; {_TOKEN} in the environment may hold a token.",
)
@click.option("--insecure", is_flag=True, help="With --against: allow http beyond this machine.")
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --against: trust these authorities.",
)
def replay(paths: tuple[Path, ...], **given: Any) -> None:
    """Replay hook requests, FHIR Bundles and NDJSON from files or folders.

    A story is a folder with request.json and expected.yaml; x.json is held to x.expected.yaml beside it. A Bundle needs
    --record, for example --record fasciculation. In NDJSON each line is a request or a Bundle.
    """
    options = Options(**given)
    _refuse_contradictions(options)
    files = [*find_files(paths)]
    settings = read_settings()
    if settings.is_production:  # who looks at records of patients there does not do so unseen
        record_command(settings, "replay", {"files": len(files)})
    output = _output(options, files)
    plan = _plan(options, with_answers=output.with_answers)
    jobs = options.jobs or _jobs(files, options)
    sys.exit(_run(plan, files, options, output, jobs))


def _refuse_contradictions(options: Options) -> None:
    if sum((options.as_json, options.summary, options.cards)) > 1:
        raise click.UsageError("Only one of --json, --summary and --cards can be printed.")
    if options.against is not None and (options.compare is not None or options.overlay is not None):
        raise click.UsageError(
            "--against asks a service by its own content: --compare and --overlay do not go with it."
        )
    if options.text and options.compare is None:
        raise click.UsageError("--text needs --compare.")


def _output(options: Options, files: list[Found]) -> Output:
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    if options.as_json:
        return JSONLines(console)
    if options.summary:
        return SummaryLines(console)
    single = len(files) == 1 and not files[0].has_lines and options.compare is None
    return Cards(console) if options.cards or single else Tables(console)


def _plan(options: Options, *, with_answers: bool) -> Plan:
    settings = read_settings()
    if options.overlay is not None:
        settings = settings.model_copy(update={"cards_overlay": options.overlay})
    other = None if options.compare is None else _compared(settings, options.compare)
    try:
        pinned = moment_named(options.as_of)
    except CDSError as error:
        raise click.UsageError(error.text.replace("The moment", "--as-of")) from None
    return Plan(
        settings=settings,
        started_at=now(),
        other=other,
        record=options.record,
        pinned=pinned,
        strict=options.strict,
        worded=options.text,
        recording=options.record_expectations,
        with_answers=with_answers,
    )


def _compared(settings: Settings, folder: Path) -> Settings:
    """Return the settings with this content folder; a folder without schemas is an overlay of the same content."""
    name = "cards_folder" if (folder / "schema").is_dir() else "cards_overlay"
    return settings.model_copy(update={name: folder})


def _jobs(files: list[Found], options: Options) -> int:
    """Return how many workers are worth their start."""
    if options.against is not None:
        return _AGAINST_JOBS
    size = sum(size_of(file.path) for file in files)
    return max(1, min(len(os.sched_getaffinity(0)), size // _BYTES_A_JOB))


def _run(plan: Plan, files: list[Found], options: Options, output: Output, jobs: int) -> int:
    """Replay everything and return the exit status; what was done before an interrupt is still told."""
    totals = Totals()
    started = time.perf_counter()
    interrupted = False
    with ExitStack() as stack:
        report = stack.enter_context(JUnitFile(options.junit)) if options.junit is not None else None
        progress = stack.enter_context(_progress())
        tasks = _watched(tasks_of(files, by_patient=options.by_patient), progress, files)
        results = stack.enter_context(closing(_results(tasks, plan, options, jobs)))
        try:
            for result in results:
                with whole_step():
                    totals.add(result)
                    output.add(result)
                    _write_expectation(result)
                    if report is not None:
                        report.add(result)
        except KeyboardInterrupt:
            interrupted = True
    output.end(totals, time.perf_counter() - started, jobs)
    if interrupted:
        click.echo("Interrupted: the patients above were answered, the others not.", err=True)
        return _INTERRUPTED
    return _FAILED if totals.whole.failed else _UNREADABLE if totals.unreadable else 0


def _results(tasks: Iterable[Task], plan: Plan, options: Options, jobs: int) -> Generator[Result]:
    if options.against is None:
        return replayed(tasks, plan, jobs)
    ca_file = None if options.ca_file is None else str(options.ca_file)
    remote = Remote(options.against, os.environ.get(_TOKEN), insecure=options.insecure, ca_file=ca_file)
    return RemoteReplayer(remote, plan, Content.of(reasoner_for(plan.settings))).replayed(tasks, jobs)


def _progress() -> Progress:
    """Return a bar on the other stream, shown only where that is a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not sys.stderr.isatty(),
        redirect_stdout=sys.stdout.isatty(),
    )


def _watched(tasks: Iterable[Task], progress: Progress, files: list[Found]) -> Iterator[Task]:
    """Pass tasks on, moving the bar by the bytes that they were read from."""
    bar = progress.add_task("replay", total=sum(size_of(file.path) for file in files) or None)
    for task in tasks:
        yield task
        progress.advance(bar, task.size)


def _write_expectation(result: Result) -> None:
    """Write a recorded expectation where none stands; one that appeared meanwhile is left alone."""
    if result.recorded is None or result.expectation is None:
        return
    place = clean(printable(result.expectation))
    try:
        with result.expectation.open("x", encoding="utf-8", newline="\n") as file:
            file.write(result.recorded)
    except FileExistsError:
        click.echo(f"{place}: stands already and was left alone.", err=True)
    except OSError as error:
        raise CDSError(f"The expectation cannot be written to {place}: {error.strerror}.") from None
    else:
        click.echo(f"{place}: written, to be reviewed.", err=True)
