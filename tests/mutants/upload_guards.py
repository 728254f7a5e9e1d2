"""The guards of uploads, and of what the API loads."""

from tests.mutants.mutant import Mutant

UPLOADS = "tests/acceptance/data_pipeline/test_api_uploads.py"
INGEST = "tests/acceptance/data_pipeline/test_api_ingest.py"
PLACES = "tests/integration/data_pipeline/storage/test_upload_places.py"
KEYS = "tests/integration/data_pipeline/test_request_keys.py"

INGESTION = [
    Mutant(
        name="upload: a body that ended early is refused",
        file="data_pipeline/api/upload_bodies.py",
        old="if self._received < self._length:",
        new="if False:",
        tests=(UPLOADS,),
    ),
    Mutant(
        name="upload: a form without its end is refused",
        file="data_pipeline/api/upload_bodies.py",
        old='if not body.tail.rstrip(b"\\r\\n").endswith(b"--"):',
        new="if False:",
        tests=(UPLOADS,),
    ),
    Mutant(
        name="upload: bytes are counted while they are read",
        file="data_pipeline/storage/incoming_upload.py",
        old="if self.size > self._max_bytes:",
        new="if False:",
        tests=(PLACES,),
    ),
    Mutant(
        name="upload: a published file is not replaced",
        file="data_pipeline/storage/upload_folder.py",
        old="if not self._final.exists():",
        new="if True:",
        tests=(PLACES,),
    ),
    Mutant(
        name="upload: needed files are not pruned",
        file="data_pipeline/services/upload_pruning.py",
        old="if load_pruning.is_upload_needed(DEFAULT_DB_ALIAS, uri, days=days):",
        new="if False:",
        tests=(PLACES,),
    ),
    Mutant(
        name="upload: the content is the key of its load",
        file="data_pipeline/services/ingest_requests.py",
        old="options = replace(options, key=key)",
        new="pass",
        tests=(PLACES,),
    ),
    Mutant(
        name="upload: only tables of the user's agencies are loaded",
        file="data_pipeline/services/ingest_requests.py",
        old="require_visible_table(str(name), scope)",
        new="pass",
        tests=(UPLOADS,),
    ),
    Mutant(
        name="upload: files of other users have no address",
        file="data_pipeline/storage/accepted_addresses.py",
        old="if settings.upload_root and address.path.is_relative_to(Path(settings.upload_root).resolve()):",
        new="if False:",
        tests=(INGEST,),
    ),
    Mutant(
        name="upload: without settings no address is accepted",
        file="data_pipeline/storage/accepted_addresses.py",
        old="if not settings.ingest_roots:",
        new="if False:",
        tests=(INGEST,),
    ),
    Mutant(
        name="upload: values of a dry run need a permission",
        file="data_pipeline/services/request_documents.py",
        old="request.result if shows_values else _without_values(request.result)",
        new="request.result",
        tests=(INGEST,),
    ),
    Mutant(
        name="upload: a key belongs to one request",
        file="data_pipeline/services/load_requests.py",
        old="if not is_new and not _is_same(request, LoadRequest(**columns)):",
        new="if False:",
        tests=(KEYS,),
    ),
]
