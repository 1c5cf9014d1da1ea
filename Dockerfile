# One image for every process of a deployment: docker run IMAGE web | processor | executor | sink | topics create
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /source
RUN python -m venv /opt/build && python -m venv /opt/pulsebook
COPY requirements.lock requirements-build.lock ./
RUN /opt/build/bin/pip install --require-hashes -r requirements-build.lock \
    && /opt/pulsebook/bin/pip install --require-hashes --only-binary :all: -r requirements.lock
COPY . .
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
    && /opt/pulsebook/bin/pip install --no-deps --no-index /wheel/*.whl

FROM python:${PYTHON}-slim
RUN useradd --system --uid 10001 --create-home --home-dir /data pulsebook
COPY --from=build /opt/pulsebook /opt/pulsebook
# Inside a container, loopback is nobody's neighbour: what others shall reach listens on every address.
ENV PATH=/opt/pulsebook/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PULSEBOOK_DATA_DIR=/data \
    PULSEBOOK_WEB_HOST=0.0.0.0 \
    PULSEBOOK_HEALTH_HOST=0.0.0.0
USER pulsebook
WORKDIR /data
VOLUME /data
EXPOSE 8080 9101 9102 9103
ENTRYPOINT ["pulsebook"]
CMD ["--help"]
