"""Expected errors of files that cannot be read. The docstring of an error is its message, as in `seeder.errors`."""

from data_pipeline.errors import PipelineError


class ArtefactError(PipelineError):
    """An artefact cannot be read."""


class BadAddress(ArtefactError):
    """{address!r} is not the address of a file: {problem}."""


class UnsupportedScheme(ArtefactError):
    """Files at {scheme}:// addresses cannot be read. Copy the file to a local folder, and load it from there."""


class OutsideRoots(ArtefactError):
    """{path} is outside of the folders that INGEST_ROOTS allows: {roots}. Move the file into one, or add its folder."""


class ArtefactMissing(ArtefactError):
    """There is no file {path}. Check the path."""


class NotRegularFile(ArtefactError):
    """{path} is {kind}, not a regular file. Give the address of a file."""


class ArtefactForbidden(ArtefactError):
    """{path} cannot be read: permission denied. Give this process's user read permission for the file and execute
    permission for its folders."""


class ArtefactUnreadable(ArtefactError):
    """{path} cannot be read: {cause}. Check the disk or the network folder, and try again."""


class SourceChanged(ArtefactError):
    """{path} was changed while it was loaded: {change}. Load it again when it is complete."""


class VersionUnknown(ArtefactError):
    """{path} cannot be loaded from its address, because the server does not name {fact}. Copy the file to a local
    folder, and load it from there."""


class UnsupportedFormat(ArtefactError):
    """{path} is {description}, which cannot be loaded. {advice}"""

    code = "unsupported_file_format"


class DamagedArtefact(ArtefactError):
    """{path} is damaged: {problem}. Transfer or export the file again."""


class UnpacksTooLarge(ArtefactError):
    """{path} unpacks to more than {limit}, which MAX_UNPACKED_MB allows. Split the file, or raise the limit."""


class SuspiciousCompression(ArtefactError):
    """{path} unpacks to more than {ratio} times its size, as a decompression bomb does. If the file is genuine, unpack
    it first and load the result."""


class UnknownEncoding(ArtefactError):
    """{encoding!r} is not a text encoding that Python knows. Declare one in the dialect, such as cp1252 or
    iso-8859-2."""


class UndecodableText(ArtefactError):
    """{path} is not {encoding}: line {line} has {problem}. Declare the encoding in a dialect, or
    export the file as UTF-8."""


class EncryptedArtefact(ArtefactError):
    """{path} is encrypted with a password. Save it without a password, and load that file."""


class WorkbookTooLarge(ArtefactError):
    """{path} is {description} than {limit}, which must be held in memory. Save it as CSV, and load that file."""


class WorkbookRefused(ArtefactError):
    """{path} is a workbook that cannot be read: {problem}. Save it as CSV, and load that file."""


class UnknownSheet(ArtefactError):
    """{path} has no sheet {sheet!r}. Name one of its sheets: {sheets}."""


class SheetNotChosen(ArtefactError):
    """{path} has data in several sheets: {sheets}. Name the one to load with --sheet."""


class CellOutsideTable(ArtefactError):
    """{path}, row {row}, has a value in column {column}, but the header in row {header_row} begins in column {first}.
    Give the column a header, or delete the value."""


class EmptyArtefact(ArtefactError):
    """{path} is empty, but a file needs a header. Export it again."""
