"""The doctor's report as a JSON document."""

from seeder.services.doctor.check_types import Level
from seeder.services.doctor.run_checks import DoctorReport
from seeder.services.documents.document_fields import Document, fields


def doctor_document(report: DoctorReport) -> Document:
    return {
        "databases": [
            fields(one, "alias")
            | fields(one.server, "role", serverVersion="version_text")
            | {"viewCount": len(one.views)}
            for one in report.databases
        ],
        "totals": {
            "errors": report.count(Level.ERROR),
            "warnings": report.count(Level.WARNING),
            "hints": report.count(Level.INFO),
        },
        "diagnoses": [
            {"problem": one.problem.name, "level": str(one.problem.level), "area": one.problem.area}
            | fields(one, "database", "subject", "message", "fix")
            | {"sql": one.sql or None}
            for one in report.diagnoses
        ],
    }
