# Not tried: written where Docker does not run. Build: docker build -t mien .
FROM python:3.12-slim
COPY . /source
RUN pip install --no-cache-dir '/source[serve]' && rm -r /source && useradd --system mien
USER mien
ENV MIEN_HOST=0.0.0.0 PYTHONUNBUFFERED=1
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
ENTRYPOINT ["mien", "serve"]
