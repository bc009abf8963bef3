# make demo and make test are all that a fresh machine needs: Python 3.11 or later, make, and the package index.
PYTHON ?= python3.11
BIN := .venv/bin
# where the reviews of `make report` come from: a hub id, or a directory with the same files
DATA ?= stanfordnlp/imdb

.PHONY: demo test test-slow lint report recipe ablation bench install

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch .venv/installed

demo: install
	$(BIN)/sentiment predict "I loved every minute of it." "Two hours of my life that I will not get back."
	rm -rf runs/demo
	$(BIN)/sentiment train configs/demo.yaml
	$(BIN)/sentiment evaluate --model runs/demo/model --data sentiment/sample/test.jsonl --output runs/demo/evaluation

test: install
	$(BIN)/python -m pytest -q

test-slow: install
	$(BIN)/python -m pytest -q -s tests/slow --timeout 3600

report: install
	$(BIN)/sentiment evaluate --data $(DATA) --output reports/shipped

# the shipped models from the raw reviews; stop it any time, the same command goes on.
# RECIPE="--data.groups_file=FILE" names the films of the training reviews, where DATA does not;
# SIZE="--model.embedding_dim=512 --model.hidden_dim=1024" makes all but the small model larger, for a GPU
GIVEN = --data.source=$(DATA) --resume $(RECIPE)
BACKWARD = --text.direction=backward
recipe: install
	$(BIN)/sentiment pretrain configs/pretrain.yaml $(GIVEN) $(SIZE)
	$(BIN)/sentiment pretrain configs/pretrain.yaml $(GIVEN) $(SIZE) $(BACKWARD) \
		--run.output_dir=runs/pretrain_backward
	$(BIN)/sentiment train configs/finetune.yaml $(GIVEN) $(SIZE)
	$(BIN)/sentiment train configs/finetune.yaml $(GIVEN) $(SIZE) $(BACKWARD) \
		--run.output_dir=runs/finetune_backward --pretrained=runs/pretrain_backward/model
	$(BIN)/sentiment distil configs/distil.yaml $(GIVEN) $(SIZE)
	$(BIN)/sentiment distil configs/distil_second.yaml $(GIVEN) $(SIZE)
	$(BIN)/sentiment distil configs/distil_second.yaml $(GIVEN) $(SIZE) $(BACKWARD) \
		--run.output_dir=runs/distil_second_backward --pretrained=runs/finetune_backward/model
	$(BIN)/sentiment distil configs/distil_third.yaml $(GIVEN) $(SIZE)
	$(BIN)/sentiment train configs/finetune_adversarial.yaml $(GIVEN) $(SIZE)
	$(BIN)/sentiment distil configs/distil_fourth.yaml $(GIVEN) $(SIZE)
	$(BIN)/sentiment distil configs/distil_fifth.yaml $(GIVEN) $(SIZE)
	$(BIN)/sentiment distil configs/distil_small.yaml $(GIVEN)

# what each part of the recipe is worth, in small: one setting changed at a time, three seeds each
ablation: install
	$(BIN)/python -m benchmarks.ablation --data $(DATA) $(ABLATION)

# this project beside its peers, then what limits and what scales: about half an hour on two idle cores
bench: install
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,bench]'
	$(BIN)/python -m benchmarks.peers --data $(DATA) --output reports/benchmark
	$(BIN)/python -m benchmarks.cold_start
	$(BIN)/python -m benchmarks.limits --data $(DATA)
	$(BIN)/python -m benchmarks.prediction --data $(DATA)
	$(BIN)/python -m benchmarks.training --data $(DATA)
	$(BIN)/python -m benchmarks.scaling --data $(DATA)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
