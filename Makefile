# Every target does its own set-up, inside this folder only. Another Python or Django, beside the usual one:
#     make test PYTHON=python3.13 DJANGO=6.1 VENV=.venv-6.1
# Some of the tests, including slow ones: make test TESTS=tests/integration
# Given on the command line only: an environment may mean others by these names.
DJANGO = 5.2
VENV = .venv
TESTS =
WORKERS = auto
python := $(VENV)/bin/python
pytest = $(python) -m pytest -n $(WORKERS) --dist worksteal
export DJANGO VENV PYTHON
# Compiled modules are kept, even if the environment forbids it: the tests start hundreds of processes.
export PYTHONDONTWRITEBYTECODE =
export BENCH_ONLY BENCH_WITHOUT BENCH_ROUNDS BENCH_SCALE BENCH_WORKERS BENCH_SMALL BENCH_MANIFESTS BENCH_QUICK BENCH_KEEP

.PHONY: words demo demo-silver serve screenshots test test-all docs translations soak mutants bench check lint types imports deploy-lint matrix lock setup clean

demo: setup  ## load public records, refresh the demo agency's reports, then load a newer file and refresh its reports
	@$(python) manage.py load_demo --table
	@$(python) manage.py refresh_agency demo --table
	@$(python) manage.py load_demo --newest-edition --table
	@echo "See it on a page: make serve"

demo-silver: setup  ## deliver the demo's files into a bucket of a local S3 server, and transform them into another one
	@$(python) manage.py load_silver

serve: setup  ## the monitoring page with the demo's data, at http://127.0.0.1:8000/; ADDRESS=… for elsewhere
	@$(python) manage.py serve_demo $(ADDRESS)

screenshots: setup  ## take docs/screenshots afresh (needs Chromium)
	$(python) -m demo.screenshots

test: setup  ## run the tests that are not slow, or those in TESTS, on one PostgreSQL server per worker
	$(pytest) $(or $(TESTS),-m "not slow")

test-all: setup  ## run all tests, then those of the database on the other supported PostgreSQL versions
	$(pytest)
	@requirements/postgres-matrix

docs: setup  ## write the generated pages of docs/reference
	$(python) -m docs_reference

translations: setup  ## bring the catalogs of the apps up to date, and name the messages without a translation
	$(python) -m translations

soak: setup  ## run long tests: kills, restarts, failure of every database call, memory, races, five million rows; more than an hour
	SEEDER_KILLS=250 $(python) -m pytest tests/acceptance/test_killing.py
	SEEDER_QUEUE_KILLS=50 $(python) -m pytest tests/acceptance/test_queue.py
	SEEDER_CLUSTER_KILLS=10 $(python) -m pytest tests/acceptance/test_several_clusters.py
	SEEDER_RESTARTS=50 $(python) -m pytest tests/faults/test_restarts_at_random.py
	SEEDER_HELD_REFRESHES=1000 SEEDER_HELD_KILLS=150 $(python) -m pytest tests/faults/test_held_views.py
	SEEDER_GROUPS=1000 SEEDER_GROUP_RACES=200 SEEDER_GROUP_KILLS=300 $(python) -m pytest tests/faults/test_consistent_groups.py
	SEEDER_RANDOM_GROUPS=200 $(python) -m pytest tests/faults/test_random_groups.py
	SEEDER_SKIPS=20000 $(python) -m pytest --log-cli-level=INFO tests/faults/test_skips_at_random.py
	SEEDER_AS_OF_REFRESHES=5000 $(python) -m pytest --log-cli-level=INFO --log-disable=seeder tests/integration/test_data_as_of_with_writers.py
	SEEDER_INJECTIONS=4000 $(python) -m pytest tests/injection
	SEEDER_RACES=200 $(python) -m pytest tests/integration/test_races.py
	DATA_PIPELINE_KILLS=500 $(python) -m pytest tests/acceptance/data_pipeline/test_killed_loads.py
	DATA_PIPELINE_TRANSFORM_KILLS=100 $(python) -m pytest tests/acceptance/data_pipeline/test_killed_transforms.py
	DATA_PIPELINE_SERVER_KILLS=50 $(python) -m pytest tests/faults/data_pipeline/test_killed_servers.py
	DATA_PIPELINE_MEMORY_MB=1000 $(python) -m pytest tests/acceptance/data_pipeline/test_load_memory.py
	DATA_PIPELINE_UPLOAD_MB=2000 $(python) -m pytest tests/acceptance/data_pipeline/test_upload_memory.py
	DATA_PIPELINE_RANDOM_TABLES=50 $(python) -m pytest tests/integration/data_pipeline/test_random_merges.py
	DATA_PIPELINE_RACES=20 $(python) -m pytest tests/integration/data_pipeline/test_load_races.py
	DATA_PIPELINE_CACHE_REFRESHES=1000 $(python) -m pytest tests/integration/data_pipeline/test_statistics_cache.py
	SEEDER_SCALE=1 $(python) -m pytest tests/acceptance/scale
	SEEDER_SNAPSHOT_ROWS=10000000 SEEDER_SNAPSHOT_MEMORY=256 $(python) -m pytest tests/bench/test_snapshot_memory.py
	SEEDER_EXAMPLES=300 $(python) -m pytest tests/integration/test_view_profile.py tests/integration/test_affected_views.py
	SEEDER_EVERY_PAGE=1 $(python) -m pytest tests/browser/test_every_page.py
	SEEDER_PHASES=examples,coverage,fuzzing SEEDER_EXAMPLES=1500 SEEDER_CALLS=25000 $(pytest) tests/acceptance/test_api_fuzzed.py

mutants: setup  ## break each guard in a copy, and check that a test fails; half an hour, or GUARDS=scope
	$(python) -m tests.mutants $(GUARDS)

bench: setup  ## compare with plain statements and other tools; BENCH_QUICK=1 for a short check of all parts
	@$(python) -m bench

check: lint words types imports deploy-lint test  ## everything that has to hold before a commit

words: setup  ## reject private words (lint/plain_words.toml); PATHS=tests for other folders than the enforced ones
	$(python) -m lint.plain_words $(PATHS)

lint: setup
	$(python) -m ruff check
	$(python) -m ruff format --check

types: setup
	$(python) -m mypy

imports: setup
	$(VENV)/bin/lint-imports --no-logo

deploy-lint: setup  ## the container file, the compose file and the Kubernetes examples (needs npm)
	@deploy/lint

matrix:  ## the tests under every Python found here and every Django it can run
	@requirements/matrix

lock:  ## compile the locks afresh (needs uv)
	@requirements/lock

setup:
	@requirements/install

clean:  ## forget everything that was installed and loaded
	-@test ! -x $(python) || { $(python) manage.py embedded_db stop; $(python) manage.py embedded_s3 stop; }
	rm -rf .venv* .cache var dist bench/.envs .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
