# make demo and make test are all that a fresh machine needs: Python 3.11 or later, make, and the package index.
PYTHON ?= python3.11
BIN := .venv/bin
# where the reviews of `make report` come from: a hub id, or a directory with the same files
DATA ?= stanfordnlp/imdb

.PHONY: demo test test-slow lint docs web report recipe ablation bench install

install: .venv/installed

# compiled on all cores, where pip would use one; what fails are templates, which are no modules
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[dev]'
	-$(BIN)/python -m compileall -qq -j 0 .venv/lib
	touch .venv/installed

demo: install
	$(BIN)/sentiment predict "I loved every minute of it." "Two hours of my life that I will not get back."
	rm -rf runs/demo
	$(BIN)/sentiment train demo
	$(BIN)/sentiment evaluate --model runs/demo/model --data samples --output runs/demo/evaluation

test: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -rs -n 2 --dist worksteal

test-slow: install
	$(BIN)/python -m pytest -q -s tests/slow --timeout 3600

report: install
	$(BIN)/sentiment evaluate --data $(DATA) --output reports/shipped

# the two shipped models from the raw reviews; stop it any time, the same command continues.
# RECIPE="--data.groups_file=FILE" names the films of the training reviews, where DATA does not;
# RECIPE="--model.embedding_dim=512 --model.hidden_dim=1024" makes all but the small model larger, for a GPU
recipe: install
	$(BIN)/sentiment recipe configs/recipes/imdb.yaml --data.source=$(DATA) $(RECIPE)

# what each part of the recipe is worth, in small: one setting changed at a time, three seeds each
ablation: install
	$(BIN)/python -m benchmarks.accuracy.ablation --data $(DATA) $(ABLATION)

# this project beside its peers, then what limits and what scales: about half an hour on two idle cores
bench: install
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,bench]'
	$(BIN)/python -m benchmarks.peers --data $(DATA) --output reports/benchmark
	$(BIN)/python -m benchmarks.speed.cold_start
	$(BIN)/python -m benchmarks.speed.limits --data $(DATA)
	$(BIN)/python -m benchmarks.speed.prediction --data $(DATA)
	$(BIN)/python -m benchmarks.speed.training --data $(DATA)
	$(BIN)/python -m benchmarks.growth.scaling --data $(DATA)

# the site as static files, in site/
docs: .venv/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

.venv/docs: .venv/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch .venv/docs

# the page of `sentiment app` from its sources, after they have changed; needs node 20 or later and npm
web: sentiment/web/node_modules
	cd sentiment/web && npx prettier --check --log-level warn . && npx tsc && node build.mjs

sentiment/web/node_modules: sentiment/web/package-lock.json
	npm ci --silent --ignore-scripts --prefix sentiment/web
	touch sentiment/web/node_modules

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
