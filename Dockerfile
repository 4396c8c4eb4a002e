FROM python:3.11-slim-bookworm
# The menu below the chat is drawn with Japanese letters.
# `kairanban backup` and `restore` call pg_dump and pg_restore, of the server's version (docker-compose.yml).
RUN apt-get update \
 && apt-get install --yes --no-install-recommends postgresql-client-15 fonts-noto-cjk \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/kairanban
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e . \
 && useradd --system --home-dir /srv/kairanban kairanban \
 && mkdir -p var && chown kairanban var
USER kairanban
ENV KAIRANBAN_WEB__LISTEN=0.0.0.0:8080
EXPOSE 8080
CMD ["kairanban", "serve"]
