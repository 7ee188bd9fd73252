# Not tried: written where Docker does not run. Build: docker build -t mien .
FROM node:22-slim AS page
COPY web /source/web
COPY examples /source/examples
COPY src /source/src
RUN cd /source/web && npm install --ignore-scripts --no-audit --no-fund && npm run build:page

FROM python:3.12-slim
COPY pyproject.toml README.md LICENSE /source/
COPY src /source/src
COPY --from=page /source/src/mien/server/page /source/src/mien/server/page
RUN pip install --no-cache-dir '/source[serve]' && rm -r /source && useradd --system mien
USER mien
ENV MIEN_HOST=0.0.0.0 PYTHONUNBUFFERED=1
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
ENTRYPOINT ["mien", "serve"]
