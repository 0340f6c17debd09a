# The images: what goes in depends on the commit alone, so that the same commit makes the same files.
IMAGE_TAG ?= latest
IMAGE_REGISTRY ?=
REVISION := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
DOCKER ?= docker
IMAGE_BUILD = $(DOCKER) build --build-arg SOURCE_DATE_EPOCH=0 --build-arg REVISION=$(REVISION) \
	$(if $(PYTHON_IMAGE),--build-arg PYTHON_IMAGE=$(PYTHON_IMAGE))

.PHONY: images
images: ## Build the images (IMAGE_REGISTRY, IMAGE_TAG, PYTHON_IMAGE by digest)
	@$(IMAGE_BUILD) --file Dockerfile.api --tag $(IMAGE_REGISTRY)lightrag-fleet-api:$(IMAGE_TAG) .
	@$(IMAGE_BUILD) --file Dockerfile.worker --tag $(IMAGE_REGISTRY)lightrag-fleet-worker:$(IMAGE_TAG) .

# One environment an image, of exactly what it is pinned to.
.PHONY: sbom
sbom: $(VENV)/dev.stamp ## Bills of materials (CycloneDX) and licences of the images, into dist/sbom
	@for image in api worker; do \
		$(UV) venv --quiet --clear --python $(BIN)/python build/sbom-$$image && \
		$(UV) pip install --quiet --python build/sbom-$$image/bin/python --require-hashes -r requirements/$$image.txt && \
		build/sbom-$$image/bin/python scripts/sbom.py lightrag-fleet-$$image requirements/$$image.txt dist/sbom || exit 1; \
	done
