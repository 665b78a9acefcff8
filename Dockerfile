# One image for web, worker and beat; compose.yaml says which part a container plays.
FROM python:3.11-slim-bookworm AS packages
RUN pip install --no-cache-dir uv
COPY requirements.txt requirements-sms.txt ./
# requirements-sms.txt where SMS_BACKEND names a provider: its libraries bring twenty packages that others do not need.
ARG REQUIREMENTS=requirements.txt
RUN python -m venv /venv && uv pip install --no-cache --compile-bytecode --python /venv/bin/python -r "$REQUIREMENTS"

FROM python:3.11-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 STATIC_COLLECTED=true VAR_DIR=/var/lib/quotebridge
RUN useradd --system --home-dir /app quotebridge \
    && install -d -o quotebridge -g quotebridge /var/lib/quotebridge
WORKDIR /app
COPY --from=packages /venv /venv
COPY manage.py ./
COPY config config
COPY approvals approvals
COPY wecom wecom
COPY projects projects
COPY notifications notifications
COPY templates templates
COPY locale locale
# The values are for this one step: collecting files needs settings that can be read, and no server.
RUN ENV_FILE="" VAR_DIR=/tmp/build ALLOWED_HOSTS=build SECRET_KEY=only-while-the-image-is-built-and-never-used-to-sign-anything \
    FIELD_ENCRYPTION_KEYS=aW1hZ2UtaW1hZ2UtaW1hZ2UtaW1hZ2UtaW1hZ2UtMzI= \
    python manage.py collectstatic --noinput --verbosity 0 \
    && rm -r /tmp/build
USER quotebridge
VOLUME /var/lib/quotebridge
EXPOSE 8000
CMD ["python", "-m", "config.web", "--bind", "0.0.0.0:8000"]
