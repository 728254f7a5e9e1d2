"""Which values of `JOB`, and which names, are those of a job."""

import pytest

from data_pipeline.domain.job_definition import is_job_name, job_name_problem, job_tuple_problem


def entrypoint(argv: list[str], *, handler: object = None) -> int:
    return len(argv)


def without_arguments() -> int:
    return 0


def with_two_arguments(argv: list[str], more: str) -> int:
    return 0


def test_entrypoint_with_optional_handler_is_accepted() -> None:
    assert job_tuple_problem((entrypoint, "Load orders.")) is None
    assert job_tuple_problem((print, "Load orders.")) is None


@pytest.mark.parametrize("job", [None, "ab", [entrypoint, "Load."], (entrypoint,), (entrypoint, "Load.", 3)])
def test_job_that_is_no_pair_is_malformed(job: object) -> None:
    assert job_tuple_problem(job) == "JOB must be a tuple (entrypoint, description)"


@pytest.mark.parametrize("description", [None, "", " \n", b"Load."])
def test_job_without_description_is_malformed(description: object) -> None:
    assert "description" in (job_tuple_problem((entrypoint, description)) or "")


@pytest.mark.parametrize("function", [None, "entrypoint", without_arguments, with_two_arguments])
def test_job_without_function_of_arguments_is_malformed(function: object) -> None:
    assert "entrypoint in JOB must be" in (job_tuple_problem((function, "Load.")) or "")


def test_private_module_and_registry_are_no_jobs() -> None:
    names = ["load_orders", "registry", "registry_of_jobs", "_shared", "__init__"]
    assert [name for name in names if is_job_name(name)] == ["load_orders", "registry_of_jobs"]


def test_new_job_has_the_name_of_a_module_that_is_found() -> None:
    assert job_name_problem("load_orders") is None
    for name in ("", "load-orders", "2020", "class", "a.b", "../x"):
        assert "Python module" in (job_name_problem(name) or ""), name
    for name in ("_load", "registry"):
        assert "not jobs" in (job_name_problem(name) or ""), name
