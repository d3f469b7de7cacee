#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Builds the tree in every way it must build and runs the suites of each; scripts/test calls it.

A stage is one build directory under build-test/, how it is configured, and the suites run in it. A
stage that does not build counts as one failure. The last line of the output is "N passed, N failed".
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


def count(log):
    """(passed, failed, skipped): every case of a test that tells its cases, else the test."""
    passed = failed = skipped = 0
    # What a failing test printed is in it as it was, escape sequences too.
    with open(log, encoding='utf-8', errors='replace') as stream:
        text = re.sub(r'[^\t\n\r\x20-\ud7ff\ue000-\ufffd]', '?', stream.read())
    for case in xml.etree.ElementTree.fromstring(text.encode()).iter('testcase'):
        if case.find('skipped') is not None:
            skipped += 1
        elif case.find('failure') is not None or case.find('error') is not None:
            failed += 1
        else:
            passed += 1
    return passed, failed, skipped


def fixed_addresses():
    """gcc 12's thread sanitizer does not bear the address randomisation of newer kernels."""
    command = ['setarch', '--addr-no-randomize']
    return command if subprocess.call([*command, 'true'], stderr=subprocess.DEVNULL) == 0 else []


def run(stage):
    environment = dict(os.environ, CC=stage['compiler'], **stage.get('environment', {}))
    if not build(stage, environment):
        return 0, 1, 0
    folder = os.path.join(BUILDS, stage['build'])
    log = os.path.join(folder, 'meson-logs', 'testlog.junit.xml')
    if os.path.exists(log):
        os.unlink(log)
    suites = [word for suite in stage['suites'] for word in ('--suite', suite)]
    prefix = fixed_addresses() if stage.get('fixed_addresses') else []
    status = call([*prefix, 'meson', 'test', '-C', folder, '--no-rebuild', '--print-errorlogs', *suites], environment)
    if not os.path.exists(log):  # no test is of these suites
        return 0, int(status != 0), 0
    passed, failed, skipped = count(log)
    return passed, max(failed, int(status != 0)), skipped


def main():
    parser = argparse.ArgumentParser(description='Build in every way and run the suites of each.')
    parser.add_argument('--slow', action='store_true', help='also the slow suite')
    parser.add_argument('stages', nargs='*', metavar='STAGE', help=', '.join(STAGES))
    options = parser.parse_args()
    names = (options.stages or DEFAULT) + (['slow'] if options.slow else [])
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        parser.error(f'no stage {", ".join(unknown)}')
    lines, totals = [], [0, 0, 0]
    for name in names:
        start = time.monotonic()
        stage = STAGES[name]
        stage.setdefault('build', name)
        result = run(stage)
        totals = [total + part for total, part in zip(totals, result)]
        lines.append(f'{name}: {result[0]} passed, {result[1]} failed, {result[2]} skipped in {time.monotonic() - start:.0f} s')
        print(lines[-1], flush=True)
    print('\n' + '\n'.join(lines))
    if totals[2]:
        print(f'{totals[2]} skipped')
    print(f'{totals[0]} passed, {totals[1]} failed')
    return 1 if totals[1] else 0


if __name__ == '__main__':
    sys.exit(main())
