"""Examples of what steers the cache, made by the code that makes the answers: they cannot say what it would not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from service.api.steering_reports import HotKeyList, HotKeyReport, JobList, Purged, explanation_report, job_report
from service.cache.entry import Entry
from service.cache.looking import Look
from service.cache.policy import Policy
from service.db.explaining import KnownRow
from service.domain.job import Job, JobKind, JobOrigin, JobState
from service.services.explaining import Explanation, Verdict

_AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
_LABEL = b"3f1c0b9e5d.1795161600000"


def _shown(report: BaseModel) -> Any:
    return json.loads(report.model_dump_json())


def _job() -> Job:
    return Job(
        id=1,
        kind=JobKind.WARM,
        origin=JobOrigin.REQUEST,
        wanted={"entity_types": ["country"], "prefix": ""},
        state=JobState.RUNNING,
        progress={"rows": 150, "installed": 140, "present": 9, "busy": 0, "refused": 1, "absent": 0},
        reached=None,
        about=249,
        cancel_requested=False,
        error=None,
        actor="ann",
        created_at=_AT,
        started_at=_AT + timedelta(milliseconds=12),
        finished_at=None,
    )


def job() -> Any:
    return _shown(job_report(_job()))


def jobs() -> Any:
    return _shown(JobList(jobs=[job_report(_job())]))


def purged() -> Any:
    return _shown(Purged(purged=2, dry_run=False))


def hot() -> Any:
    return _shown(HotKeyList(keys=[HotKeyReport(entity_type="country", id="JP", reads_per_second=812.5)]))


def explanation() -> Any:
    now_ms = round(_AT.timestamp() * 1000)
    entry = Entry(7, _LABEL, 2, now_ms - 13_000, now_ms + 274_000, now_ms + 274_000, now_ms - 90_000, b"{}")
    return _shown(
        explanation_report(
            Explanation(
                name="country:JP",
                verdict=Verdict.FRESH,
                words="a hit: version 7, for another 5 min",
                look=Look(True, b"", 431, 274_000, _LABEL, None),  # noqa: FBT003
                entry=entry,
                lease=None,
                row=KnownRow(7, True, _AT, None, _AT, True),  # noqa: FBT003
                row_fault=None,
                policy=Policy(),
                now_ms=now_ms,
            )
        )
    )
