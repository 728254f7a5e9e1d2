"""The deployment examples fit this app and one another."""

import os
import re
import secrets
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

import data_pipeline.conf
import seeder.conf
from seeder.services import command_discovery
from tests.conftest import CHECKOUT, process_environment
from tests.deploy.examples import COMPOSE, DEPLOY, DOCKERFILE, MANIFESTS, PODS, image_of

GRACEFUL = 30  # seconds that gunicorn waits for open requests
SHUTDOWN_MARGIN = 10  # seconds that watch_queue may take after its --grace


# The arguments of the entry point: args in Kubernetes if there is no command, command in Compose.
ENTRY_POINT_ARGUMENTS = [
    *(
        container["args"]
        for spec in PODS.values()
        for container in spec["containers"]
        if "command" not in container and image_of(container) == "reporting-seeder"
    ),
    *(
        container["command"]
        for container in COMPOSE["services"].values()
        if container["image"] == "reporting-seeder" and "entrypoint" not in container
    ),
]


def grace(arguments: list[str]) -> int:
    return int(arguments[arguments.index("--grace") + 1])


def test_every_kind_of_object_has_an_example() -> None:
    assert {manifest["kind"] for manifest in MANIFESTS} == {
        "ConfigMap",
        "CronJob",
        "Deployment",
        "Job",
        "Secret",
        "Service",
        "ServiceAccount",
    }
    assert len(ENTRY_POINT_ARGUMENTS) == 5


@pytest.mark.parametrize("arguments", ENTRY_POINT_ARGUMENTS, ids=" ".join)
def test_container_runs_an_existing_job_with_valid_arguments(arguments: list[str]) -> None:
    run, job, *rest = arguments
    assert run == "run"
    assert rest[:1] in ([], ["--"])
    command_discovery.find_job(job).create_parser("reporting-seeder run", job).parse_args(rest[1:])


@pytest.mark.parametrize("text", [DOCKERFILE, *(path.read_text() for path in DEPLOY.rglob("*.yaml"))])
def test_job_in_a_shell_line_exists(text: str) -> None:
    for job in re.findall(r"reporting-seeder[ \",]+run[ \",]+(\w+)", text):
        command_discovery.find_job(job)  # raises if there is no such job


@pytest.mark.parametrize("name", PODS)
def test_pod_has_minimal_privileges(name: str) -> None:
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


def test_worker_has_longer_than_its_shutdown_takes() -> None:
    queue = PODS["queue"]
    assert queue["terminationGracePeriodSeconds"] > grace(queue["containers"][0]["args"]) + SHUTDOWN_MARGIN
    worker = COMPOSE["services"]["worker"]
    assert int(worker["stop_grace_period"].removesuffix("s")) > grace(worker["command"]) + SHUTDOWN_MARGIN


def test_web_has_longer_than_its_shutdown_takes() -> None:
    [container], limit = PODS["web"]["containers"], PODS["web"]["terminationGracePeriodSeconds"]
    _, pre_stop_seconds = container["lifecycle"]["preStop"]["exec"]["command"]
    assert limit > int(pre_stop_seconds) + GRACEFUL


def test_image_and_pods_run_as_the_same_user_without_root() -> None:
    [user] = set(re.findall(r"^USER (\d+):\d+$", DOCKERFILE, re.MULTILINE))
    assert {str(spec["securityContext"]["runAsUser"]) for spec in PODS.values()} == {user}
    assert user != "0"


def test_entry_points_of_the_images_are_console_scripts() -> None:
    """Without a target, the last stage is built."""
    scripts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["scripts"]
    targets = re.findall(
        r'^FROM runtime AS (\S+)\nUSER .*\nENTRYPOINT \["(.+)"\]\nCMD \["--help"\]$', DOCKERFILE, re.MULTILINE
    )
    assert targets == [("data-pipeline", "data-pipeline"), ("reporting-seeder", "reporting-seeder")]
    assert {entry_point for _, entry_point in targets} <= scripts.keys()


def test_examples_contain_no_secret() -> None:
    [secret] = [manifest for manifest in MANIFESTS if manifest["kind"] == "Secret"]
    assert set(secret["stringData"].values()) == {""}
    for service in COMPOSE["services"].values():
        for name, value in service["environment"].items():
            assert value.startswith("${") or not re.search("KEY|PASSWORD", name)
    variable_lines = [line for line in DOCKERFILE.splitlines() if re.match("(ENV|ARG)|    [A-Z_]+=", line)]
    assert not [
        line for line in variable_lines if re.search("KEY|PASSWORD|SECRET", line) and "token_urlsafe" not in line
    ]


def test_every_setting_in_the_examples_exists() -> None:
    names = {name for manifest in MANIFESTS for name in manifest.get("data", {})}
    names |= {name for service in COMPOSE["services"].values() for name in service["environment"]}
    seeder_fields = {field.name for field in fields(seeder.conf.Settings)}
    pipeline_fields = {field.name for field in fields(data_pipeline.conf.Settings)}
    for prefix, kept, existing in (
        ("SEEDER_", "", seeder_fields),
        ("DATA_PIPELINE_", "", pipeline_fields),
        ("S3_", "s3_", pipeline_fields),
    ):
        named = {kept + name.removeprefix(prefix).lower() for name in names if name.startswith(prefix)}
        assert named
        assert named <= existing


def test_compose_service_of_jobs_runs_the_entry_point_of_the_mounted_checkout() -> None:
    service = COMPOSE["services"]["data-pipeline"]
    [entry_point] = service["entrypoint"]
    assert service["volumes"] == ["..:/checkout"]
    script = CHECKOUT / entry_point.removeprefix("/checkout/")
    assert os.access(script, os.X_OK)
    assert f"FROM runtime AS {service['build']['target']}\n" in DOCKERFILE
    assert service["profiles"]  # `up` does not start it


def test_files_copied_into_the_image_exist_and_are_not_ignored() -> None:
    included = {
        line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert copied == included
    assert all((CHECKOUT / source).exists() for source in copied)


@pytest.fixture
def web(contract_tables: None) -> Iterator[str]:
    """Run the web process like the image does. Yield its port."""
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
            "HOME": os.devnull,  # the image's user has no home folder
        },
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stderr
        matches = (re.search(r"Listening at: http://127.0.0.1:(\d+)", line) for line in process.stderr)
        yield next(match[1] for match in matches if match)
        process.send_signal(signal.SIGTERM)
        assert "[ERROR]" not in process.stderr.read()
        assert process.wait(30) == 0


@pytest.mark.slow
def test_probes_and_health_check_of_web_succeed_in_production(web: str) -> None:
    [container] = PODS["web"]["containers"]
    for probe in (container["livenessProbe"], container["readinessProbe"]):
        request = probe["httpGet"]
        headers = {header["name"]: header["value"] for header in request["httpHeaders"]}
        with urlopen(Request(f"http://127.0.0.1:{web}{request['path']}", headers=headers), timeout=30) as response:
            assert response.status == 200
    assert health_check_exit_code(port=web) == 0


def test_health_check_of_web_fails_if_it_is_unreachable() -> None:
    assert health_check_exit_code(port="1") == 1


def health_check_exit_code(*, port: str) -> int:
    """Run the health check of the Compose example against this port."""
    _, _, *rest = COMPOSE["services"]["web"]["healthcheck"]["test"]
    assert rest[0] == "-c"
    arguments = [part.replace(":8000/", f":{port}/").replace("timeout=4)", "timeout=60)") for part in rest]
    assert "timeout=60)" in arguments[1], "a busy machine may need more time"
    return subprocess.run([sys.executable, *arguments], capture_output=True, check=False).returncode
