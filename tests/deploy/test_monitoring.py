"""The alert rules and the dashboard fit the metrics of the apps."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.markdown import page_text
from tests.conftest import CHECKOUT

MONITORING = CHECKOUT / "deploy" / "monitoring"
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
RULES = [
    rule
    for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
# docs/reference/metrics.md is generated from what the endpoint exports.
EXPORTED = {
    (name, label)
    for name, labels in re.findall(
        r"^\| `(\w+)` \| [\w ]+ \| (.*?) ?\|", page_text("reference/metrics.md"), re.MULTILINE
    )
    for label in ["", *re.findall(r"`(\w+)`", labels)]
}
PANEL_TYPES = {"stat", "timeseries", "table", "bargauge"}  # built in, without a plugin of others
OLD = 27 * 3600  # seconds since 1970 when the tests of the rules evaluate them

# For each alert: a series that fires it, and the labels of the alert.
FIRING: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "SeederDown": ({"seeder_up": "0x400"}, {}),
    "ViewsFail": ({"seeder_views_failing": "1x400"}, {}),
    "ViewIsOld": (
        {'seeder_view_last_success_timestamp_seconds{view="reporting.a"}': "60x400"},
        {"view": "reporting.a"},
    ),
    "NightDidNotRun": ({"seeder_last_run_end_timestamp_seconds": "60x400"}, {}),
    "ManyFail": (
        {
            'seeder_recent_refreshes{report_type="custom",status="error"}': "6x400",
            'seeder_recent_refreshes{report_type="custom",status="success"}': "94x400",
        },
        {},
    ),
    "ContractIsLate": (
        {'seeder_freshness_contracts{state="late",severity="error"}': "1x400"},
        {"state": "late"},
    ),
    "ContractIsUnknown": ({'seeder_freshness_contracts{state="unknown",severity="warn"}': "1x400"}, {}),
    "BreakerIsOpen": ({'seeder_breaker_open{database="default"}': "1x400"}, {"database": "default"}),
    "QueueStands": (
        {"seeder_queue_oldest_waiting_seconds": "901x400", 'seeder_queue_parts{state="running"}': "0x400"},
        {},
    ),
    "RefreshesAreSlow": (
        {
            'seeder_recent_refresh_duration_seconds_bucket{status="success",le="600"}': "90x400",
            'seeder_recent_refresh_duration_seconds_bucket{status="success",le="3600"}': "100x400",
            'seeder_recent_refresh_duration_seconds_bucket{status="success",le="+Inf"}': "100x400",
        },
        {"status": "success"},
    ),
    "LocksAreInTheWay": (
        {
            'seeder_recent_refresh_wait_seconds_bucket{waited_for="lock",le="10"}': "90x400",
            'seeder_recent_refresh_wait_seconds_bucket{waited_for="lock",le="60"}': "100x400",
            'seeder_recent_refresh_wait_seconds_bucket{waited_for="lock",le="+Inf"}': "100x400",
        },
        {"waited_for": "lock"},
    ),
    "NotificationsWait": ({'seeder_notifications_undelivered{channel="pager"}': "1x400"}, {"channel": "pager"}),
    "LoadsDown": ({"data_pipeline_up": "0x400"}, {}),
    "LoadsFail": (
        {'etl_runs_total{source="shop",status="failed"}': "0+1x400"},
        {"source": "shop", "status": "failed"},
    ),
    "LoadIsStuck": (
        {'data_pipeline_open_loads{source="shop",state="stuck"}': "1x400"},
        {"source": "shop", "state": "stuck"},
    ),
    "RefreshIsNotDispatched": ({"data_pipeline_oldest_undispatched_timestamp_seconds": "60x400"}, {}),
    "CallsFail": (
        {
            'external_http_requests_total{integration="tax",outcome="timeout"}': "0+2x400",
            'external_http_requests_total{integration="tax",outcome="success"}': "0+1x400",
        },
        {"integration": "tax"},
    ),
    "RejectsAreOpen": ({"data_pipeline_open_rejects": "1x400"}, {}),
}
# What a platform looks like on which nothing is wrong.
QUIET = {
    "seeder_up": "1x400",
    "seeder_views_failing": "0x400",
    'seeder_view_last_success_timestamp_seconds{view="reporting.a"}': "0+300x400",
    "seeder_last_run_end_timestamp_seconds": "0+300x400",
    'seeder_recent_refreshes{report_type="custom",status="error"}': "5x400",
    'seeder_recent_refreshes{report_type="custom",status="success"}': "95x400",
    'seeder_freshness_contracts{state="late",severity="warn"}': "1x400",
    'seeder_freshness_contracts{state="unknown",severity="error"}': "0x400",
    'seeder_breaker_open{database="default"}': "0x400",
    "seeder_queue_oldest_waiting_seconds": "2000x400",
    'seeder_queue_parts{state="running"}': "1x400",
    'seeder_recent_refresh_duration_seconds_bucket{status="success",le="600"}': "96x400",
    'seeder_recent_refresh_duration_seconds_bucket{status="success",le="+Inf"}': "100x400",
    'seeder_recent_refresh_wait_seconds_bucket{waited_for="worker",le="60"}': "0x400",
    'seeder_recent_refresh_wait_seconds_bucket{waited_for="worker",le="+Inf"}': "100x400",
    'seeder_notifications_undelivered{channel="pager"}': "0x400",
    "data_pipeline_up": "1x400",
    'etl_runs_total{source="shop",status="failed"}': "7x400",
    'data_pipeline_open_loads{source="shop",state="stuck"}': "0x400",
    "data_pipeline_oldest_undispatched_timestamp_seconds": "0+300x400",
    'external_http_requests_total{integration="tax",outcome="timeout"}': "0+1x400",
    'external_http_requests_total{integration="tax",outcome="success"}': "0+2x400",
    "data_pipeline_open_rejects": "0x400",
}


@pytest.fixture(scope="module")
def promtool() -> str:
    found = subprocess.run(
        [CHECKOUT / "requirements" / "promtool"], cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=120
    )
    if found.returncode:
        pytest.skip("there is no promtool: install Debian's package prometheus")
    return found.stdout.strip()


def run(*command: str | Path) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def expressions() -> Iterator[str]:
    yield from (target["expr"] for panel in PANELS for target in panel["targets"])
    yield from (rule["expr"] for rule in RULES)


def test_dashboard_and_rules_use_exported_metrics_and_labels() -> None:
    names = {name for name, _ in EXPORTED}
    used = {
        re.sub("_(bucket|sum|count)$", "", name)
        for expression in expressions()
        for name in re.findall(r"\b(?:seeder|data_pipeline|etl|external_http)_\w+", expression)
    }
    assert used <= names
    selected = {
        (re.sub("_bucket$", "", name), label)
        for expression in expressions()
        for name, matchers in re.findall(r"(\w+)\{([^}]*)\}", expression)
        for label in re.findall(r"(\w+) *[=!]", matchers)
    }
    assert selected
    assert selected <= EXPORTED


def test_groups_and_legends_use_labels_of_their_metrics() -> None:
    grouped = {
        (expression, label)
        for expression in expressions()
        for labels in re.findall(r"\b(?:by|without|on|ignoring) *\(([^)]*)\)", expression)
        for label in re.findall(r"\w+", labels)
    }
    legends = {
        (target["expr"], label)
        for panel in PANELS
        for target in panel["targets"]
        for label in re.findall(r"\{\{ *(\w+) *\}\}", target["legendFormat"])
    }
    assert grouped
    assert legends
    for expression, label in grouped | legends:
        known = {one for name, one in EXPORTED if re.search(rf"\b{name}(_bucket|_sum|_count)?\b", expression)}
        assert label in {*known, "le"}, expression


def test_panels_are_complete_and_do_not_overlap() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for grid in [panel["gridPos"]]
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_dashboard_has_one_variable_for_its_data_source() -> None:
    [variable] = DASHBOARD["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == ("datasource", "datasource", "prometheus")
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD["panels"])))
    assert used == {"datasource", "__rate_interval"}
    assert DASHBOARD["schemaVersion"] >= 36, "the first one in which every data source is an object"
    assert {panel["type"] for panel in PANELS} <= PANEL_TYPES


@pytest.mark.slow
def test_expressions_of_the_dashboard_are_valid(promtool: str, tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:number:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(expressions())
    ]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    run(promtool, "check", "rules", file)


@pytest.mark.slow
def test_each_alert_fires_on_its_series_and_none_on_a_quiet_platform(promtool: str, tmp_path: Path) -> None:
    assert FIRING.keys() == {rule["alert"] for rule in RULES}
    firing = {series: values for one, _ in FIRING.values() for series, values in one.items()}
    tests = [case(firing, {rule["alert"]: [alert(rule)] for rule in RULES}), case(QUIET, {one: [] for one in FIRING})]
    document = {"rule_files": [str(MONITORING / "alerts.yaml")], "evaluation_interval": "5m", "tests": tests}
    file = tmp_path / "tests.json"
    file.write_text(json.dumps(document))
    run(promtool, "test", "rules", file)


def case(series: dict[str, str], expected: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {
        "interval": "5m",
        "input_series": [{"series": one, "values": values} for one, values in series.items()],
        "alert_rule_test": [
            {"alertname": name, "eval_time": f"{OLD}s", "exp_alerts": alerts} for name, alerts in expected.items()
        ],
    }


def alert(rule: dict[str, Any]) -> dict[str, Any]:
    labels = {**FIRING[rule["alert"]][1], **rule["labels"]}
    return {"exp_labels": labels, "exp_annotations": rule["annotations"]}
