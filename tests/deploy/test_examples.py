"""What no linter knows of the deployment examples: that they fit this app, and one another."""

import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml

from seeder.conf import Settings
from seeder.services import job_commands
from tests.conftest import CHECKOUT, process_environment

DEPLOY = CHECKOUT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
MANIFESTS: list[dict[str, Any]] = [
    manifest
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for manifest in yaml.safe_load_all(path.read_text())
]
GRACEFUL = 30  # seconds that gunicorn gives what it is answering
LAST_MEASURES = 10  # seconds that watch_queue may take after its --grace


def pod(manifest: dict[str, Any]) -> dict[str, Any] | None:
    spec = manifest.get("spec", {})
    spec = spec["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else spec
    found: dict[str, Any] | None = spec.get("template", {}).get("spec")
    return found


PODS = {manifest["metadata"]["name"]: found for manifest in MANIFESTS if (found := pod(manifest))}
# Whatever a container is told to run by the entry point: Kubernetes' args where it has no command, Compose's command.
ASKED = [
    *(one["args"] for spec in PODS.values() for one in spec["containers"] if "command" not in one),
    *(
        one["command"]
        for one in COMPOSE["services"].values()
        if one.get("image") != "postgres:18" and "entrypoint" not in one
    ),
]


def grace(asked: list[str]) -> int:
    return int(asked[asked.index("--grace") + 1])


def test_there_is_an_example_of_each_kind() -> None:
    assert {manifest["kind"] for manifest in MANIFESTS} == {
        "ConfigMap",
        "CronJob",
        "Deployment",
        "Job",
        "Secret",
        "Service",
    }
    assert len(ASKED) == 5


@pytest.mark.parametrize("asked", ASKED, ids=" ".join)
def test_what_a_container_is_told_to_run_is_a_job_that_takes_these_arguments(asked: list[str]) -> None:
    run, job, *rest = asked
    assert run == "run"
    assert rest[:1] in ([], ["--"])
    job_commands.find_job(job).create_parser("reporting-seeder run", job).parse_args(rest[1:])


@pytest.mark.parametrize("text", [DOCKERFILE, *(path.read_text() for path in DEPLOY.rglob("*.yaml"))])
def test_every_job_that_a_line_of_shell_runs_exists(text: str) -> None:
    for job in re.findall(r"reporting-seeder[ \",]+run[ \",]+(\w+)", text):
        job_commands.find_job(job)  # or it raises


@pytest.mark.parametrize("name", PODS)
def test_a_pod_may_do_nothing_that_it_need_not(name: str) -> None:
    assert PODS[name]["securityContext"]["runAsNonRoot"]
    assert PODS[name]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert PODS[name]["automountServiceAccountToken"] is False
    for container in PODS[name]["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


def test_a_worker_is_given_longer_than_it_takes_to_end() -> None:
    queue = PODS["queue"]
    assert queue["terminationGracePeriodSeconds"] > grace(queue["containers"][0]["args"]) + LAST_MEASURES
    worker = COMPOSE["services"]["worker"]
    assert int(worker["stop_grace_period"].removesuffix("s")) > grace(worker["command"]) + LAST_MEASURES


def test_the_web_is_given_longer_than_it_takes_to_end() -> None:
    [container], limit = PODS["web"]["containers"], PODS["web"]["terminationGracePeriodSeconds"]
    _, waits = container["lifecycle"]["preStop"]["exec"]["command"]
    assert limit > int(waits) + GRACEFUL


def test_the_image_s_user_is_the_pods_and_not_root() -> None:
    [user] = re.findall(r"^USER (\d+):\d+$", DOCKERFILE, re.MULTILINE)
    assert {str(spec["securityContext"]["runAsUser"]) for spec in PODS.values()} == {user}
    assert user != "0"
    assert 'ENTRYPOINT ["reporting-seeder"]' in DOCKERFILE


def test_no_secret_is_in_them() -> None:
    [secret] = [manifest for manifest in MANIFESTS if manifest["kind"] == "Secret"]
    assert set(secret["stringData"].values()) == {""}
    for service in COMPOSE["services"].values():
        for name, value in service["environment"].items():
            assert value.startswith("${") or not re.search("KEY|PASSWORD", name)
    kept = [line for line in DOCKERFILE.splitlines() if re.match("(ENV|ARG)|    [A-Z_]+=", line)]
    assert not [line for line in kept if re.search("KEY|PASSWORD|SECRET", line) and "token_urlsafe" not in line]


def test_every_setting_of_ours_that_they_set_exists() -> None:
    given = {name for manifest in MANIFESTS for name in manifest.get("data", {})}
    given |= {name for service in COMPOSE["services"].values() for name in service["environment"]}
    ours = {name.removeprefix("SEEDER_").lower() for name in given if name.startswith("SEEDER_")}
    assert ours
    assert ours <= Settings.__dataclass_fields__.keys()


def test_whatever_is_copied_into_the_image_is_let_through_and_exists() -> None:
    let = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert copied == let
    assert all((CHECKOUT / source).exists() for source in copied)


@pytest.fixture
def web(contract_tables: None) -> Iterator[str]:
    """The web as the image runs it, on a port of its own."""
    [options] = re.findall(r'GUNICORN_CMD_ARGS="(.+)"', DOCKERFILE)
    process = subprocess.Popen(
        [Path(sys.prefix) / "bin" / "gunicorn", "settings.wsgi", "--bind=127.0.0.1:0"],
        cwd=CHECKOUT,
        env={
            **process_environment(),
            "DJANGO_SETTINGS_MODULE": "settings.production",
            "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
            "DJANGO_ALLOWED_HOSTS": "reports.example.org,127.0.0.1",
            "GUNICORN_CMD_ARGS": options,
            "HOME": os.devnull,  # the image's user has none
        },
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stderr
        told = (re.search(r"Listening at: http://127.0.0.1:(\d+)", line) for line in process.stderr)
        yield next(found[1] for found in told if found)
        process.send_signal(signal.SIGTERM)
        assert "[ERROR]" not in process.stderr.read()
        assert process.wait(30) == 0


def test_the_probes_are_answered_by_the_web_in_production(web: str) -> None:
    [container] = PODS["web"]["containers"]
    for probe in (container["livenessProbe"], container["readinessProbe"]):
        asked = probe["httpGet"]
        headers = {header["name"]: header["value"] for header in asked["httpHeaders"]}
        with urlopen(Request(f"http://127.0.0.1:{web}{asked['path']}", headers=headers), timeout=30) as answer:
            assert answer.status == 200


def test_the_health_check_of_the_web_tells_one_that_answers_from_one_that_does_not(web: str) -> None:
    _, _, *rest = COMPOSE["services"]["web"]["healthcheck"]["test"]
    assert rest[0] == "-c"
    for port, code in ((web, 0), ("1", 1)):
        asked = [one.replace(":8000/", f":{port}/").replace("timeout=4)", "timeout=60)") for one in rest]
        assert "timeout=60)" in asked[1], "a busy machine may take longer than a container is given"
        ended = subprocess.run([sys.executable, *asked], capture_output=True, check=False)
        assert ended.returncode == code
