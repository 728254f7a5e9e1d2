"""What an operator looks at and does after an error of a load, a file or a correction."""

from collections.abc import Mapping

_CALLER = "The traceback of the caller shows the place; correct its code."
_OPTIONS = "Compare the command, schedule or job that passes it, and correct it there."
_TABLE = "`\\d+ TABLE` in psql shows it. Follow the message, or ask the owner of the table."
_OWNER = "Send the statement of the message to the owner of the table, then load again."
_FILE = "Open the file at the named place. Ask its sender for another export, and load that."
_WORKBOOK = "Open the workbook. Its sender can export CSV; `load_file` takes that at once."

LOADS: Mapping[str, str] = {
    "RelationMissing": "`manage.py doctor` names what is missing; after an upgrade, `manage.py migrate` was not run.",
    "InsideTransaction": _CALLER,
    "AutocommitOff": _CALLER,
    "BadSource": _CALLER,
    "BadIdempotencyKey": _CALLER,
    "NothingToIdentify": _CALLER,
    "LoadInProgress": "`manage.py load_status` shows the process. A queued request waits by itself; a stuck load is"
    " closed by `manage.py recover_loads`.",
    "LoadTakenOver": "The page of the load shows both attempts. Look for the lost connection in the log of the server.",
    "UnknownLoad": "It was pruned, or belongs to another database.",
    "UnknownLoadRequest": "It was pruned, or belongs to another database.",
    "TooManyRejects": "`manage.py rejects LOAD` has each reason. Correct the file, or allow the rejects with"
    " `--max-rejects`.",
    "KeysUnreadable": "`manage.py rejects LOAD` has the records without a key. Never raise the limit: rows would be"
    " deleted.",
    "HeaderRefused": "Compare the first line of the file with its dialect. A renamed column needs an alias, a new one"
    " a rule for surplus columns.",
    "BadRecord": "Look the record up in what the connector received; correct its mapping.",
    "NothingToReplaceWith": "The source sent nothing. Find out why before you delete rows.",
    "BadRow": "Look the record up in what the connector received; correct its mapping or the source.",
    "PiiKeyMissing": "The secret is missing in the environment of this process. Use the same one everywhere: another"
    " gives other hashes.",
    "NormalizingNeedsUtf8": "`SHOW server_encoding` in psql. Another database is needed; the encoding cannot be"
    " changed.",
    "ColumnsUnknown": "Correct the file, and load it again.",
    "BadCorrectionFile": "Compare its first line with a new file of `manage.py rejects LOAD --csv FILE`.",
    "BadCorrections": "`manage.py rejects LOAD` has the open records, and the header of the file their columns.",
    "BundleNotWritten": "Check the folder, its permissions and the free space.",
    "NotVerifiable": "The load failed, was undone or changed nothing. Verify a load that succeeded.",
    "NotFileLoad": "`manage.py load_status` has its source. Run the command of that connector.",
    "NotReplayable": "`manage.py load_status` has its source. Run the command of that connector.",
    "UnknownLetter": "The load succeeded meanwhile, was undone or pruned: `manage.py load_status`.",
    "BadDayTemplate": _OPTIONS,
    "BadDayRange": _OPTIONS,
    "UndoRefused": "The page of the load shows its events. Remove the reason, or restore the rows by hand.",
    "LaterLoads": "`manage.py undo_load LOAD --dry-run` for each of them shows what would change.",
    "RowsChanged": "`manage.py verify_load LOAD` counts the rows. Find the writer before you use `--force`.",
    "OldValuesMissing": "Restore the table from a backup, or load a corrected file with `--mode replace`.",
    "RestoredValueTaken": "Find the row with the value of the message, and what wrote it.",
    "RejectsNotReplayable": "The message has the reason. Of a failed load, correct and load the file itself.",
    "RejectsChanged": "`manage.py rejects LOAD` shows what is still open.",
    "NothingReplayed": "`manage.py rejects LOAD` still has the reasons. Correct the values again.",
}
TARGETS: Mapping[str, str] = {
    "UnknownTarget": "`\\dt *.TABLE` in psql. The name needs its schema, or the role lacks USAGE on it.",
    "TableNotTracked": "Decide whether the file belongs there; otherwise rename the file.",
    "NotLoadable": "Name the table behind the view.",
    "TableOfLoads": _OPTIONS,
    "TableHasRule": _TABLE,
    "TableHasChildren": _TABLE,
    "TooManyColumns": _TABLE,
    "RowsReferenced": "`\\d TABLE` in psql lists the references. The mode upsert leaves the rows.",
    "KeyMissing": "Name the columns as `key` in the dialect, or add a primary key.",
    "KeyNotInFile": "Compare the header with the key of the dialect; the file may be of another kind.",
    "KeyNotUnique": "Count duplicates by the key with GROUP BY; a unique index prevents new ones.",
    "ColumnsNotAdded": _OWNER,
    "RescueColumnMissing": _OWNER,
    "TableBusy": "[Find the blocking session](../how-to/runbook.md#find-blocking-sessions). A queued request tries"
    " again by itself.",
    "SequenceNotHeld": "`\\ds+` in psql shows the owner. A load without `--dry-run` is possible.",
    "NotTrackable": _TABLE,
    "NotOwner": _OWNER,
    "NotPartitionable": "Remove the named obstacles: [what is refused](../how-to/partition-tables.md#what-is-refused).",
    "PartitioningOff": "[Partition tables](../how-to/partition-tables.md) has the risks. Set it only for the command.",
    "PartitioningFailed": 'Correct what the message names, such as a table with the name of a partition. With "out of'
    ' shared memory", use longer periods.',
    "RowsDiffer": "The table stays as it is. A generated column may compute other values now than when its rows were"
    " written.",
}
FILES: Mapping[str, str] = {
    "BadAddress": _OPTIONS,
    "UnsupportedScheme": _OPTIONS,
    "OutsideRoots": "Check that the path has no symbolic link out of the folder. Add a folder only if the loader may"
    " read all of it.",
    "ArtefactMissing": "List its folder or its bucket (`aws s3 ls`). It was not delivered, was moved, or has another"
    " name.",
    "NotRegularFile": _OPTIONS,
    "ArtefactForbidden": "`namei -l PATH` shows the permissions of each folder.",
    "ArtefactUnreadable": "The kernel's log (`dmesg`) and the mount have the cause; then replay the load.",
    "SourceChanged": "Replay the load. If it repeats, the sender writes the file in place: it should write another"
    " name and rename it.",
    "VersionUnknown": "`curl -I ADDRESS` shows the headers.",
    "UnsupportedFormat": _FILE,
    "DamagedArtefact": "Compare its size or checksum with the sender's; a transfer may have been cut off.",
    "UnpacksTooLarge": "Ask the sender whether the size is right before you raise the limit.",
    "SuspiciousCompression": "Do not unpack it on this machine before its sender confirms it.",
    "UnknownEncoding": "Correct the encoding in the dialect.",
    "UndecodableText": "`sed -n LINEp FILE | xxd` shows the bytes. Western Excel files are usually cp1252.",
    "EncryptedArtefact": _WORKBOOK,
    "WorkbookTooLarge": _WORKBOOK,
    "WorkbookRefused": _WORKBOOK,
    "UnknownSheet": "The sender has renamed the sheet: correct `sheet` in the dialect.",
    "SheetNotChosen": "The sender has added a sheet: name one as `sheet` in the dialect.",
    "CellOutsideTable": _FILE,
    "EmptyArtefact": "The export of the sender has failed: ask for another, then replay the load.",
}
_CLIENT = "Tell the client: its request has to change. The log event `api_ingest_failed` has the user and the route."
UPLOADS: Mapping[str, str] = {
    "UploadsOff": "Set `UPLOAD_ROOT` or `UPLOAD_BUCKET` for the web servers and the workers:"
    " [uploads](../how-to/upload-files.md#where-uploads-are-stored).",
    "UploadTooLarge": "Raise `MAX_UPLOAD_MB` only if the place of uploads has the space; the proxy has a limit, too.",
    "UploadIncomplete": "The client or a proxy closed the connection. Compare the time limits of the proxy with the"
    " duration in its log.",
    "EmptyUpload": _CLIENT,
    "LengthMissing": _CLIENT,
    "MalformedUpload": _CLIENT,
    "UploadNotStored": "`df` and `ls -ld` of `UPLOAD_ROOT` in the container of the web server.",
    "AddressNotAccepted": "Allow a folder, bucket or host only if every user with `data_pipeline.load` may read all of"
    " it.",
    "TableNotNamed": _CLIENT,
}
