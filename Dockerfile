# The service as an image: locked dependencies, no compiler, no root, nothing written outside /state and /tmp.
# The base image is an argument, so that a site can name its own mirror or digest.
ARG PYTHON_IMAGE=python:3.11.15-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python3 -m venv /opt/cds
COPY requirements.lock .
RUN /opt/cds/bin/python -m pip install --require-hashes --requirement requirements.lock
# The build backend comes from the lock of the developers, hashes and all; it does not get into the image.
COPY requirements-dev.lock .
RUN python3 -m venv /opt/builder \
    && /opt/builder/bin/python -m pip install --require-hashes --requirement requirements-dev.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY cds_service cds_service
COPY cards cards
RUN /opt/builder/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/cds/bin/python -m pip install --no-deps /wheels/*.whl \
    && /opt/cds/bin/python -m pip uninstall --yes pip setuptools

FROM ${PYTHON_IMAGE}
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /state --shell /usr/sbin/nologin cds \
    && install --directory --owner=cds --group=cds --mode=0700 /state /keys \
    && install --directory --owner=cds --group=cds --mode=0755 /tls
COPY --from=build /opt/cds /opt/cds
COPY fhir_samples /samples
ENV PATH=/opt/cds/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    CDS_STATE_FOLDER=/state \
    CDS_PROVEN_FOLDER=/state/proven \
    CDS_SAMPLES_FOLDER=/samples
USER cds
WORKDIR /state
VOLUME /state
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health/ready', timeout=2)"]
ENTRYPOINT ["cds-service"]
CMD ["serve"]
