"""Crawls of one site by several programs, in turns: `python3 benches/crawl.py URL ROUNDS [scrape,wget2,scrapy]`.

Told are pages, seconds, pages a second and the CPU of a page, and the medians. The binary is that of `cargo build --release`; a
Python that has Scrapy is named by SCRAPY_PYTHON."""
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SPIDER = '''
import sys
from scrapy.crawler import CrawlerProcess
from scrapy.linkextractors import LinkExtractor
from scrapy.spiders import CrawlSpider, Rule
class Site(CrawlSpider):
    name, start_urls = 'site', [sys.argv[1]]
    links = LinkExtractor(tags=('a', 'area', 'frame', 'iframe'), attrs=('href', 'src'), deny_extensions=[])
    rules = [Rule(links, callback='page', follow=True)]
    def page(self, answer):
        is_text = hasattr(answer, 'text')
        yield {'url': answer.url, 'status': answer.status, 'length': len(answer.text) if is_text else len(answer.body),
               'title': answer.css('title::text').get() if is_text else None}
    parse_start_url = page
host = sys.argv[1].split('/')[2].split(':')[0]
Site.allowed_domains = [host]
run = CrawlerProcess({'LOG_ENABLED': False, 'TELNETCONSOLE_ENABLED': False, 'ROBOTSTXT_OBEY': True, 'CONCURRENT_REQUESTS': 32,
                      'CONCURRENT_REQUESTS_PER_DOMAIN': 32, 'FEEDS': {sys.argv[2]: {'format': 'jsonlines'}}})
run.crawl(Site)
run.start()
'''


def lines(folder):
    return sum(1 for _ in open(folder / 'pages.jsonl'))


def pages(folder):
    return sum(1 for file in folder.rglob('*') if file.suffix in ('.html', '.htm') or file.name.startswith('index'))


def commands(url, folder):
    scrape = pathlib.Path(__file__).parent.parent / 'target/release/scrape'
    python = os.environ.get('SCRAPY_PYTHON', 'python3')
    return {
        'scrape': ([scrape, url, '--depth', 'all', '-c', '32', '--per-host', '32', '-o', folder / 'pages.jsonl'], lines),
        'wget2': (['wget2', '-q', '-r', '-l', '0', '--max-threads=32', '--follow-tags=a,area,frame,iframe', '-P', folder, url], pages),
        'scrapy': ([python, '-c', SPIDER, url, folder / 'pages.jsonl'], lines),
    }


def main():
    url, rounds = sys.argv[1], int(sys.argv[2])
    names = sys.argv[3].split(',') if len(sys.argv) > 3 else ['scrape', 'wget2', 'scrapy']
    figures = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            folder = pathlib.Path(tempfile.mkdtemp())
            command, count = commands(url, folder)[name]
            before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            took, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            found = count(folder)
            shutil.rmtree(folder)
            figures[name].append((found / took, cpu / found * 1e6))
            print(f'{name:8}{found:8} pages{took:8.2f} s{found / took:8.0f} /s{cpu / found * 1e6:8.0f} us a page', flush=True)
    for name, all_of in figures.items():
        rate, cpu = (statistics.median(column) for column in zip(*all_of))
        print(f'{name:8} median {rate:.0f} /s, {cpu:.0f} us a page')


if __name__ == '__main__':
    main()
