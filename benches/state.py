"""What a state costs: `python3 benches/state.py LIST ROUNDS [BINARY] [plain,links,warc,db,save]`.

Each output is written with `--state` and without, in turns, from an empty folder. Told are the medians of seconds and of seconds of
CPU, the least of each, and what the state adds to them. LIST should name some thousand pages of a server on loopback. The binary is
that of `cargo build --release`, unless one is named."""
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

OUTPUTS = {
    'plain': ['-o', 'pages.jsonl'],
    'links': ['-o', 'pages.jsonl', '-x', 'links'],
    'warc': ['-o', 'pages.warc.gz'],
    'db': ['-o', 'pages.db'],
    'save': ['--save', 'pages'],
}


def cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(command):
    with tempfile.TemporaryDirectory(dir='.') as folder:
        cpu_before, started = cpu(), time.monotonic()
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
        return time.monotonic() - started, cpu() - cpu_before


def tell(name, without, with_state):
    parts = []
    for what, place in (('s', 0), ('s of CPU', 1)):
        for word, choose in (('median', statistics.median), ('least', min)):
            bare, stated = (choose(run[place] for run in runs) for runs in (without, with_state))
            parts.append(f'{word} {bare:.3f} and {stated:.3f} {what} ({stated / bare - 1:+.1%})')
    print(f'{name}: {", ".join(parts)}')


def main():
    pages, rounds = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    release = pathlib.Path(__file__).parent.parent / 'target/release/scrape'
    scrape = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else release).resolve()
    names = sys.argv[4].split(',') if len(sys.argv) > 4 else list(OUTPUTS)
    base = [scrape, pages, '--no-config', '-q', '-c', '64', '--per-host', '64']
    runs = {(name, has_state): [] for name in names for has_state in (False, True)}
    for _ in range(rounds):
        for (name, has_state), figures in runs.items():
            figures.append(measure(base + OUTPUTS[name] + (['--state', 'state.db'] if has_state else [])))
    for name in names:
        tell(name, runs[name, False], runs[name, True])


if __name__ == '__main__':
    main()
