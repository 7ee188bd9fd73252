# Build: docker build -t mien .
# Checked with hadolint; never built: untested.
FROM node:22-slim AS page
COPY web /source/web
COPY examples /source/examples
COPY src /source/src
WORKDIR /source/web
RUN npm ci --ignore-scripts --no-audit --no-fund && npm run build:page

FROM python:3.12-slim
COPY pyproject.toml README.md LICENSE /source/
COPY src /source/src
COPY --from=page /source/src/mien/server/page /source/src/mien/server/page
RUN pip install --no-cache-dir '/source[serve]' && rm -r /source
# A numeric id, so that orchestrators can verify that it is not root.
USER 65532
ENV MIEN_HOST=0.0.0.0 PYTHONUNBUFFERED=1
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
ENTRYPOINT ["mien", "serve"]
