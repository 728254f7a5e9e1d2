"""Documents of errors. The fields are those of the API's problem details (RFC 9457)."""

from seeder.services.documents.document_fields import Document

DOCUMENTATION = "https://github.com/reporting-seeder/reporting-seeder/blob/main/docs"
ERRORS_PAGE = f"{DOCUMENTATION}/reference/errors.md"
_REASONS_PAGE = f"{DOCUMENTATION}/reference/reasons.md"


def reason_url(reason: str) -> str:
    """Return the address of the row that says what to do about the reason of a failure."""
    return f"{_REASONS_PAGE}#{reason}"


def problem_fields(code: str, detail: str) -> Document:
    """Return what a program and a person need to know about an error."""
    title = code.replace("_", " ").capitalize()
    return {"type": f"{ERRORS_PAGE}#{code}", "title": title, "code": code, "detail": detail}


def command_error_document(code: str, detail: str, *, exit_code: int) -> Document:
    """Return the document of a command that ends with an error."""
    return {**problem_fields(code, detail), "exitCode": exit_code}
