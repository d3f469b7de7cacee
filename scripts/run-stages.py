#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Builds the tree in every way it must build and runs the suites of each; scripts/test calls it.

A stage is one build directory under build-test/, how it is configured, and the suites run in it. A
stage that does not build counts as one failure. What failed is told again at the end, whose last line
is "N passed, N failed".
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILDS = os.path.join(SOURCE, 'build-test')

STAGES = {
    'gcc': {'compiler': 'gcc', 'options': [], 'suites': ['unit', 'tree', 'qemu']},
    'clang': {'compiler': 'clang', 'options': [], 'suites': ['unit']},
    'release': {'compiler': 'gcc', 'options': ['--buildtype=release'], 'suites': ['unit']},
    'asan': {'compiler': 'gcc', 'options': ['-Db_sanitize=address,undefined'], 'suites': ['unit'],
             'environment': {'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1', 'ASAN_OPTIONS': 'detect_stack_use_after_return=1'}},
    'tsan': {'compiler': 'gcc', 'options': ['-Db_sanitize=thread'], 'suites': ['threads'],
             'environment': {'TSAN_OPTIONS': 'halt_on_error=1'}, 'fixed_addresses': True},
    'fuzz': {'compiler': 'clang', 'options': ['-Dfuzz=true', '-Db_sanitize=address,undefined', '-Db_lundef=false'], 'suites': ['fuzz']},
    'slow': {'compiler': 'gcc', 'build': 'gcc', 'options': [], 'suites': ['slow']},
}
DEFAULT = ['gcc', 'clang', 'release', 'asan', 'tsan', 'fuzz']


def call(command, environment):
    print('$ ' + ' '.join(command), flush=True)
    return subprocess.call(command, cwd=SOURCE, env=environment)


def build(stage, environment):
    folder = os.path.join(BUILDS, stage['build'])
    if not os.path.exists(os.path.join(folder, 'build.ninja')):
        # What a failed configuration left behind would be taken for a configured directory.
        shutil.rmtree(folder, ignore_errors=True)
        if call(['meson', 'setup', '-Dwerror=true', *stage['options'], folder], environment) != 0:
            return False
    return call(['ninja', '-C', folder, '--quiet'], environment) == 0


class Result:
    """Of a stage: every case of a test that tells its cases counts, else the test."""

    def __init__(self):
        self.passed = self.skipped = 0
        self.failures = []  # (name, the end of what it printed)

    def read(self, log):
        # What a failing test printed is in it as it was, escape sequences too.
        with open(log, encoding='utf-8', errors='replace') as stream:
            text = re.sub(r'[^\t\n\r\x20-\ud7ff\ue000-\ufffd]', '?', stream.read())
        # A test that tells its cases is a suite of them, with all that they printed at its own end.
        for suite in xml.etree.ElementTree.fromstring(text.encode()).iter('testsuite'):
            for case in suite.iter('testcase'):
                self.add(case, suite)

    def add(self, case, suite):
        if case.find('skipped') is not None:
            self.skipped += 1
        elif case.find('failure') is not None or case.find('error') is not None:
            texts = [node.text or '' for part in (case, suite) for node in part if node.tag in ('system-out', 'system-err')]
            self.failures.append((f'{case.get("classname")}: {case.get("name")}', texts))
        else:
            self.passed += 1

    def summary(self):
        return f'{self.passed} passed, {len(self.failures)} failed, {self.skipped} skipped'


TOLD = 60  # lines of what a test printed


def tell(stage, failure):
    name, texts = failure
    print(f'\nFAILED in {stage}: {name}')
    for text in texts:
        lines = text.splitlines()
        # Cases that passed say nothing of it.
        first = next((number for number, line in enumerate(lines) if line.startswith('not ok')), 0)
        for line in lines[max(first - TOLD // 2, 0):][:TOLD] if first else lines[-TOLD:]:
            print(f'  {line}')


def fixed_addresses():
    """gcc 12's thread sanitizer does not bear the address randomisation of newer kernels."""
    command = ['setarch', '--addr-no-randomize']
    return command if subprocess.call([*command, 'true'], stderr=subprocess.DEVNULL) == 0 else []


def run(stage):
    environment = dict(os.environ, CC=stage['compiler'], **stage.get('environment', {}))
    result = Result()
    if not build(stage, environment):
        result.failures.append(('it does not build', []))
        return result
    folder = os.path.join(BUILDS, stage['build'])
    log = os.path.join(folder, 'meson-logs', 'testlog.junit.xml')
    if os.path.exists(log):
        os.unlink(log)
    suites = [word for suite in stage['suites'] for word in ('--suite', suite)]
    prefix = fixed_addresses() if stage.get('fixed_addresses') else []
    status = call([*prefix, 'meson', 'test', '-C', folder, '--no-rebuild', '--print-errorlogs', *suites], environment)
    if os.path.exists(log):  # else no test is of these suites
        result.read(log)
    if status != 0 and not result.failures:
        result.failures.append((f'meson test ends with {status}', []))
    return result


def main():
    parser = argparse.ArgumentParser(description='Build in every way and run the suites of each.')
    parser.add_argument('--slow', action='store_true', help='also the slow suite')
    parser.add_argument('stages', nargs='*', metavar='STAGE', help=', '.join(STAGES))
    options = parser.parse_args()
    names = (options.stages or DEFAULT) + (['slow'] if options.slow else [])
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        parser.error(f'no stage {", ".join(unknown)}')
    lines, results = [], {}
    for name in names:
        start = time.monotonic()
        stage = STAGES[name]
        stage.setdefault('build', name)
        results[name] = run(stage)
        lines.append(f'{name}: {results[name].summary()} in {time.monotonic() - start:.0f} s')
        print(lines[-1], flush=True)
    failures = [(name, failure) for name, result in results.items() for failure in result.failures]
    for name, failure in failures:
        tell(name, failure)
    print('\n' + '\n'.join(lines))
    for name, failure in failures:
        print(f'failed in {name}: {failure[0]}')
    skipped = sum(result.skipped for result in results.values())
    if skipped:
        print(f'{skipped} skipped')
    print(f'{sum(result.passed for result in results.values())} passed, {len(failures)} failed')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
