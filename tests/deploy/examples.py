"""The deployment examples, parsed."""

from typing import Any

import yaml

from tests.conftest import CHECKOUT

DEPLOY = CHECKOUT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
MANIFESTS: list[dict[str, Any]] = [
    manifest
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for manifest in yaml.safe_load_all(path.read_text())
]


def _pod(manifest: dict[str, Any]) -> dict[str, Any] | None:
    spec = manifest.get("spec", {})
    spec = spec["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else spec
    found: dict[str, Any] | None = spec.get("template", {}).get("spec")
    return found


PODS = {manifest["metadata"]["name"]: found for manifest in MANIFESTS if (found := _pod(manifest))}


def image_of(container: dict[str, Any]) -> str:
    """Return the name of a container's image, without registry and tag."""
    name: str = container["image"].rpartition("/")[2].partition(":")[0]
    return name
