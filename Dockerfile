# One image for every service; docker-compose.yml gives each its command.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/app
WORKDIR /app

COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

COPY core core
COPY store store
COPY gateway gateway
COPY ingest ingest
COPY alerts alerts
COPY care care
COPY api api
COPY simulator simulator
COPY bench bench
COPY evaluation evaluation
COPY yiju yiju
COPY deploy/broker/acl deploy/broker/acl

# A named volume takes its owner from the folder that it is first mounted on.
RUN printf '#!/bin/sh\nexec python -m yiju "$@"\n' > /usr/local/bin/yiju \
    && chmod +x /usr/local/bin/yiju \
    && useradd --uid 10001 --user-group --no-create-home yiju \
    && install -d -o yiju -g yiju -m 700 /data \
    && install -d -o 1883 -g 1883 -m 700 /accounts

USER yiju
EXPOSE 8080
CMD ["yiju", "--help"]
