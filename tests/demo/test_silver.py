"""The demo's files in buckets."""

from io import StringIO
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.core.management import call_command

from data_pipeline.models import LoadLog
from demo import silver
from demo.files import FILES
from tests.buckets import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.mark.slow
@pytest.mark.usefixtures("load_tables", "s3_settings")
def test_files_are_delivered_and_transformed_once(
    monkeypatch: pytest.MonkeyPatch, s3_client: "S3Client", capsys: pytest.CaptureFixture[str]
) -> None:
    for role in ("BRONZE", "SILVER"):
        monkeypatch.setattr(silver, role, f"{role.lower()}-{uuid4().hex}")
    printed = StringIO()
    call_command("load_silver", stdout=printed)
    assert printed.getvalue().count("delivered") == len(FILES)
    contents = Bucket(name=silver.SILVER, client=s3_client).contents()
    assert {key.split("/")[1] for key in contents} == {file.name for file in FILES}
    assert b"\r" not in b"".join(contents.values())
    loads = LoadLog.objects.filter(source="silver.transform", status="success")
    assert {one.payload_meta["dialect"] for one in loads} == {file.table for file in FILES}
    assert sum(one.rows_in or 0 for one in loads) == sum(content.count(b"\n") - 1 for content in contents.values())
    capsys.readouterr()
    call_command("load_silver", stdout=StringIO())
    assert capsys.readouterr().out.endswith("5 finished before\n")
