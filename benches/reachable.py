"""The pages of a site that its links lead to, found without `scrape`: `python3 benches/reachable.py URL`, one a line.

Links are those that a crawl follows by default; nofollow on a link is obeyed, robots.txt is not asked for."""
import concurrent.futures
import sys
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser


class Page(HTMLParser):
    """The links of a page, and what they are relative to."""

    PASSED_OVER = ('noscript', 'template', 'svg')

    def __init__(self):
        super().__init__()
        self.links, self.base, self.passing = [], None, 0

    def handle_starttag(self, tag, attributes):
        if tag in self.PASSED_OVER:
            self.passing += 1
        if self.passing:
            return
        of = {}
        for name, value in attributes:
            of.setdefault(name, value or '')
        rel = of.get('rel', '').lower().split()
        kind = of.get('type', 'text/html').lower()
        if tag == 'base' and self.base is None:
            self.base = of.get('href')
        is_alternate = 'alternate' in rel and 'stylesheet' not in rel and kind in ('', 'text/html', 'application/xhtml+xml')
        if tag in ('a', 'area') and 'nofollow' not in rel or tag == 'link' and ({'next', 'prev', 'canonical'} & set(rel) or is_alternate):
            self.links += [of['href']] if 'href' in of else []
        if tag in ('frame', 'iframe') and 'src' in of:
            self.links.append(of['src'])
        if tag == 'meta' and of.get('http-equiv', '').lower() == 'refresh' and 'url=' in of.get('content', '').lower():
            self.links.append(of['content'].split('=', 1)[1].strip().strip('"\''))

    def handle_endtag(self, tag):
        self.passing -= tag in self.PASSED_OVER and self.passing > 0


def absolute(base, link, host):
    """The URL of a link of the same host; none for all others."""
    try:
        url = urllib.parse.urlsplit(urllib.parse.urldefrag(urllib.parse.urljoin(base, link.strip()))[0])
    except ValueError:
        return None
    if not link.strip() or url.scheme not in ('http', 'https') or url.netloc != host:
        return None
    path = urllib.parse.quote(url.path or '/', safe="/%:@!$&'()*+,;=~-._[]|^\\")
    return urllib.parse.urlunsplit((url.scheme, host, path, url.query, ''))


def fetch(url):
    """Where a page is, and the links that it has; none where it is not there."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            body, there, kind = answer.read(), answer.geturl(), answer.headers.get('Content-Type', '')
    except (urllib.error.URLError, OSError):
        return None
    if 'html' not in kind:
        return there, []
    page = Page()
    page.feed(body.decode('utf-8', 'replace'))
    base = urllib.parse.urljoin(there, page.base) if page.base else there
    host = urllib.parse.urlsplit(url).netloc
    return there, [link for link in (absolute(base, link, host) for link in page.links) if link]


def main():
    waiting = [sys.argv[1]]
    seen, found = set(waiting), set()
    with concurrent.futures.ProcessPoolExecutor() as pool:
        while waiting:
            answers = [answer for answer in pool.map(fetch, waiting, chunksize=16) if answer]
            found.update(there for there, _ in answers)
            seen.update(found)
            links = dict.fromkeys(link for _, links in answers for link in links)
            waiting = [link for link in links if link not in seen]
            seen.update(waiting)
    print(*sorted(found), sep='\n')


if __name__ == '__main__':
    main()
