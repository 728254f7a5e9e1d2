"""The doctor's report as a JSON document."""

from seeder.services.doctor.check_types import Level
from seeder.services.doctor.run_checks import DoctorReport
from seeder.services.documents.document_fields import Document, fields


def doctor_document(report: DoctorReport) -> Document:
    return {
        "databases": [
            fields(database, "alias")
            | fields(database.server, "role", serverVersion="version_text")
            | {"viewCount": len(database.views)}
            for database in report.databases
        ],
        "totals": {
            "errors": report.count(Level.ERROR),
            "warnings": report.count(Level.WARNING),
            "hints": report.count(Level.INFO),
        },
        "diagnoses": [
            {"problem": diagnosis.problem.name, "level": str(diagnosis.problem.level), "area": diagnosis.problem.area}
            | fields(diagnosis, "database", "subject", "message", "fix")
            | {"sql": diagnosis.sql or None}
            for diagnosis in report.diagnoses
        ],
    }
