#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Sizes of the library per layer: sizes.py BUILD-DIRECTORY. One line a layer: code, data, bss in bytes, lines of source."""
import glob
import os
import re
import subprocess
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def archive_size(path):
    """Sums of text, data and bss over an archive's objects."""
    lines = subprocess.run(['size', '-t', path], capture_output=True, text=True, check=True).stdout.splitlines()
    return [int(word) for word in lines[-1].split()[:3]]


def source_lines(folder):
    """Lines that are neither blank nor comment alone."""
    count = 0
    for name in glob.glob(f'{folder}/*.[ch]'):
        with open(name) as stream:
            text = re.sub(r'/\*.*?\*/|//[^\n]*', '', stream.read(), flags=re.S)
        count += sum(1 for line in text.splitlines() if line.strip())
    return count


def main(build):
    total = [0, 0, 0, 0]
    for path in sorted(glob.glob(f'{build}/src/**/libvmm_*.a', recursive=True)):
        layer = os.path.relpath(os.path.dirname(path), f'{build}/src')
        row = [*archive_size(path), source_lines(f'{SOURCE}/src/{layer}')]
        total = [a + b for a, b in zip(total, row)]
        print(f'size of {layer}: code {row[0]}, data {row[1]}, bss {row[2]} bytes; {row[3]} lines')
    print(f'size of all layers: code {total[0]}, data {total[1]}, bss {total[2]} bytes; {total[3]} lines')


if __name__ == '__main__':
    main(sys.argv[1])
