"""The memory that sitemaps take: `python3 benches/sitemaps.py SITEMAPS HOSTS [BINARY]`.

An index on loopback names so many sitemaps of 50,000 pages each, all on so many hosts of 127.0.0.0/8. Told is what `scrape map`
needs, a crawl of 1,000 of these pages, and one of all of them that is stopped after 60 seconds. The binary is that of `cargo build
--release`, unless one is named."""
import http.server
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

EACH = 50_000


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version, wbufsize, sitemaps, hosts = 'HTTP/1.1', 1 << 16, 0, 0

    def do_GET(self):
        port = self.server.server_address[1]
        if self.path == '/index.xml':
            names = (f'<sitemap><loc>http://127.0.0.1:{port}/s/{n}</loc></sitemap>\n' for n in range(self.sitemaps))
            body = f'<sitemapindex>{"".join(names)}</sitemapindex>'
        elif self.path.startswith('/s/'):
            first = int(self.path[3:]) * EACH
            pages = (f'<url><loc>http://127.0.{n % self.hosts // 250}.{n % self.hosts % 250 + 1}:{port}/articles/{n % 97}/{n}.html</loc>'
                     f'<lastmod>2026-05-{n % 28 + 1:02}</lastmod><priority>0.{n % 10}</priority></url>\n'
                     for n in range(first, first + EACH))
            body = f'<urlset>{"".join(pages)}</urlset>'
        else:
            body = '' if self.path == '/robots.txt' else f'<title>{self.path}</title>'
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def serve():
    server = http.server.ThreadingHTTPServer(('0.0.0.0', 0), Site)
    child = os.fork()
    if child == 0:
        server.serve_forever()
    return child, server.server_address[1]


def measure(command, most):
    with tempfile.TemporaryFile() as out:
        started = time.monotonic()
        run = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        timer = threading.Timer(most, run.send_signal, [signal.SIGINT])
        timer.start()
        _, _, usage = os.wait4(run.pid, 0)
        timer.cancel()
        took = time.monotonic() - started
        out.seek(0)
        lines = sum(1 for _ in out)
    cpu = usage.ru_utime + usage.ru_stime
    print(f'{" ".join(map(str, command[1:]))}: {lines:,} lines, {usage.ru_maxrss / 1024:.0f} MiB at most, {cpu:.1f} s of CPU, {took:.1f} s')


def main():
    Site.sitemaps, Site.hosts = int(sys.argv[1]), int(sys.argv[2])
    release = pathlib.Path(__file__).parent.parent / 'target/release/scrape'
    scrape = sys.argv[3] if len(sys.argv) > 3 else release
    server, port = serve()
    index = f'http://127.0.0.1:{port}/index.xml'
    try:
        measure([scrape, 'map', '--no-config', '--sitemap', index], 3600)
        measure([scrape, '--no-config', '--sitemap', index, '--max-pages', '1000'], 3600)
        measure([scrape, '--no-config', '--sitemap', index], 60)
    finally:
        os.kill(server, signal.SIGTERM)


if __name__ == '__main__':
    main()
