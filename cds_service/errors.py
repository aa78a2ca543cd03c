"""Every exception of the service, with its exit status and its HTTP status; never carries a patient value."""

from __future__ import annotations

from typing import ClassVar


class CDSError(Exception):
    """Root of the tree: `text` is shown to the caller, `where` names fields or files, never values."""

    exit_status: ClassVar[int] = 1

    def __init__(self, text: str, *where: str) -> None:
        """Keep `text` (what is wrong and what to do) and `where` (field paths or file positions)."""
        super().__init__(text)
        self.text = text
        self.where = where


class KnowledgeError(CDSError):
    """The clinical content is not usable: the service refuses to start."""

    exit_status = 3


class SettingsError(CDSError):
    """A setting is missing, malformed or not allowed in this mode."""

    exit_status = 4


class StoreError(CDSError):
    """The store cannot be used as it is: lost, of another release, or its secret unreadable. An operator must act."""

    exit_status = 5


class BlockedServerError(CDSError):
    """A FHIR server that may not be called; the text never says which."""


class InvalidCardError(CDSError):
    """A card would break the CDS Hooks specification: a fault of ours, never sent."""


class AnswerError(CDSError):
    """A call that is answered with an OperationOutcome instead of cards.

    `http_status` and `issue_code` (FHIR IssueType) are fixed per class, by the answer contract.
    """

    http_status: ClassVar[int] = 500
    issue_code: ClassVar[str] = "exception"
    retry_after: int | None = None
    """Seconds after which the same call may be tried again, where that makes sense."""


class MalformedRequestError(AnswerError):
    """Not parsable, or a REQUIRED member has the wrong type (400 structure)."""

    http_status = 400
    issue_code = "structure"
    exit_status = 2


class MissingElementError(AnswerError):
    """A REQUIRED member is absent (400 required)."""

    http_status = 400
    issue_code = "required"
    exit_status = 2


class UnauthorizedError(AnswerError):
    """The caller did not prove who it is (401). `why` is a word of ours for the log: no caller is ever told."""

    http_status = 401
    issue_code = "login"

    def __init__(self, why: str) -> None:
        """Keep the word; `client_id` is set where the token at least named a registered client."""
        super().__init__("Unauthorized")
        self.why = why
        self.client_id: str | None = None


class UnknownServiceError(AnswerError):
    """No such service or path (404)."""

    http_status = 404
    issue_code = "not-found"


class RequestTooLargeError(AnswerError):
    """The body is over the size limit (413)."""

    http_status = 413
    issue_code = "too-long"


class UnsupportedMediaTypeError(AnswerError):
    """The body is not JSON, or is compressed (415)."""

    http_status = 415
    issue_code = "not-supported"


class RequiredDataUnavailableError(AnswerError):
    """A presentation is recorded and none of the advertised data arrived (412)."""

    http_status = 412
    issue_code = "incomplete"


class StoreUnavailableError(AnswerError):
    """The store cannot be written or read at this moment (503)."""

    http_status = 503
    issue_code = "transient"
    retry_after = 1
    exit_status = 5


class OverloadedError(AnswerError):
    """More calls are being worked on than this process takes (503)."""

    http_status = 503
    issue_code = "transient"
    retry_after = 1


class RateLimitedError(AnswerError):
    """A client calls more often than it may (429)."""

    http_status = 429
    issue_code = "throttled"

    def __init__(self, seconds: int) -> None:
        """Keep after how many `seconds` the client may call again."""
        super().__init__("Too many requests")
        self.retry_after = seconds


class AuditError(CDSError):
    """The audit does not verify, or a record of it cannot be kept."""

    exit_status = 6
