#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""check-iasl.py DUMPER: the tables that DUMPER writes, disassembled by iasl and compiled again, come back as
they were, from byte 36 (the header holds the compiler's own name). Exit status 77 where there is no iasl."""
import glob
import os
import re
import subprocess
import sys
import tempfile

import acpica

HEADER = 36
KNOWS_6_5 = 20220331
IASL = acpica.tool('iasl')


def run(args, cwd):
    done = subprocess.run(args, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return done.returncode, done.stdout


def version():
    found = re.search(r'version (\d{8})', run([IASL, '-v'], '.')[1])
    return int(found.group(1)) if found else 0


def complaints(text):
    """The lines of iasl's output that say that something is wrong."""
    return [line for line in text.splitlines()
            if re.search(r'incorrect|should be|unknown|invalid|mismatch|\*\*\*\*|\bwarning\b|\berror\s+\d', line, re.I)]


def check(path):
    """Names what is wrong with one table; nothing if it came back whole."""
    folder, name = os.path.split(path)
    stem = os.path.splitext(name)[0]
    code, out = run([IASL, '-d', name], folder)
    source = os.path.join(folder, stem + '.dsl')
    if code != 0 or not os.path.exists(source):
        return [f'{name}: iasl -d failed:', out]
    with open(source, encoding='latin1') as stream:
        wrong = complaints(stream.read()) + complaints(out)
    if wrong:
        return [f'{name}: disassembled with complaints:'] + wrong
    code, out = run([IASL, '-oa', '-vw', '3150', '-p', stem + '-again', stem + '.dsl'], folder)
    again = os.path.join(folder, stem + '-again.aml')
    if code != 0 or not os.path.exists(again):
        return [f'{name}: iasl does not compile it again:', out]
    with open(path, 'rb') as ours, open(again, 'rb') as theirs:
        a, b = ours.read()[HEADER:], theirs.read()[HEADER:]
    if a != b:
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        return [f'{name}: differs at {HEADER + at} of {len(a)}/{len(b)}: ours {a[at:at + 12].hex()}, iasl {b[at:at + 12].hex()}']
    return []


def main():
    if IASL is None:
        print('iasl (package acpica-tools) is not here')
        return 77
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        tables = sorted(glob.glob(os.path.join(folder, '*.dat')))
        if version() < KNOWS_6_5:
            tables = [table for table in tables if not os.path.basename(table).startswith('new-')]
        wrong = [line for table in tables for line in check(table)]
    print('\n'.join(wrong))
    print(f'{len(tables)} tables')
    return 1 if wrong or not tables else 0


if __name__ == '__main__':
    sys.exit(main())
