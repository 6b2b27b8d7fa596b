# syntax=docker/dockerfile:1
# The platform's images, one stage each: platform, jvm (Kafka and Flink), page, grafana; flink is for deploy/kubernetes. What they run and with which settings:
# docker-compose.yml. Bases are pinned by version, not by digest. User 10001 owns what the volumes hold.

FROM maven:3.9-eclipse-temurin-17 AS jars
WORKDIR /app
COPY flink/functions flink/functions
COPY stock_platform/stack/jars stock_platform/stack/jars
RUN mvn --batch-mode --no-transfer-progress -DskipTests -f flink/functions/pom.xml package \
    && mvn --batch-mode --no-transfer-progress -f stock_platform/stack/jars/kafka/pom.xml package

FROM python:3.11-slim AS packages
WORKDIR /app
COPY requirements.lock requirements-uv.lock requirements-dev.lock ./
RUN python -m venv .venv \
    && .venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements-uv.lock \
    && VIRTUAL_ENV=.venv .venv/bin/uv pip sync --no-cache --compile-bytecode --require-hashes requirements.lock requirements-uv.lock
COPY pyproject.toml ./
COPY stock_platform stock_platform
RUN VIRTUAL_ENV=.venv .venv/bin/uv pip install --no-cache --no-deps --build-constraints requirements-dev.lock --editable . \
    && .venv/bin/python -m compileall -q stock_platform

FROM node:22-slim AS page
WORKDIR /app/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci --no-fund --no-audit
COPY frontend/index.html frontend/tsconfig.json frontend/vite.config.ts frontend/openapi.json ./
COPY frontend/public public
COPY frontend/src src
RUN npm run --silent build && mkdir -p node_modules/.vite-temp
USER 10001:10001

FROM eclipse-temurin:17-jre AS jvm
COPY --from=jars /app/.cache/jars /app/.cache/jars
RUN mkdir -p /data/simulator/kafka /data/simulator/flink /data/live/kafka /data/live/flink && chown -R 10001:10001 /data
WORKDIR /tmp
USER 10001:10001

# For Flink's operator, which wants the official image and its scripts.
FROM flink:2.3.0-java17 AS flink
COPY --from=jars /app/.cache/jars/flink/flink-sql-connector-kafka-*.jar /app/.cache/jars/flink/flink-connector-jdbc-*.jar \
    /app/.cache/jars/flink/postgresql-*.jar /opt/flink/lib/
COPY --from=jars /app/.cache/jars/flink/stock-platform-functions.jar /opt/flink/usrlib/
USER 9999:9999

FROM grafana/grafana:12.3.0 AS grafana
USER 0:0
RUN mkdir -p /data/simulator/grafana /data/live/grafana && chown -R 472:0 /data
COPY grafana/provisioning /app/grafana/provisioning
COPY grafana/dashboards /app/grafana/dashboards
USER 472:0

FROM python:3.11-slim AS platform
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1
RUN mkdir -p /data/simulator/kafka /data/simulator/flink /data/live/kafka /data/live/flink && chown -R 10001:10001 /data
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY --from=packages /app/stock_platform stock_platform
COPY --from=jars /app/.cache/jars/flink/stock-platform-functions.jar .cache/jars/flink/stock-platform-functions.jar
COPY flink/sql flink/sql
COPY dagster.yaml workspace.yaml pyproject.toml ./
USER 10001:10001
