#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Prints what the memory engine costs: instructions by callgrind, then nanoseconds; one line a figure.

    mmu_bench.py PROGRAM

Fails when a figure is above its limit.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

# Instructions: (part of the figure's name, at most).
LIMITS = [('one 4K page', 120), ('locked', 160), ('protect', 10), ('translate', 40), ('lookup', 110), ('4K pages', 10), ('a leaf', 10), ('merge', 10)]


def instructions(program):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(['valgrind', '-q', '--tool=callgrind', '--dump-line=no', f'--callgrind-out-file={folder}/out', program],
                       check=True)
        for name in sorted(glob.glob(f'{folder}/out.*'), key=lambda n: int(n.rsplit('.', 1)[1])):
            with open(name, encoding='utf-8') as stream:
                text = stream.read()
            trigger = re.search(r'^desc: Trigger: Client Request: (.*)/(.*)/(\d+)$', text, re.M)
            total = re.search(r'^(?:summary|totals): (\d+)', text, re.M)
            if trigger:
                yield trigger[1], trigger[2], int(total[1]) / int(trigger[3])


def without_loops(figures):
    """What calls of one page cost, less the same loop that calls nothing; the call itself counts (call, ret)."""
    figures = list(figures)
    loops = {(form, what.split()[0]): figure for form, what, figure in figures if 'nothing' in what}
    for form, what, figure in figures:
        if 'nothing' in what:
            continue
        if 'one 4K page' in what or 'locked' in what or what.startswith(('translate', 'lookup')):
            figure -= next((loop for (of, call), loop in loops.items() if of == form and call == re.match(r'\w+', what)[0]), 0) - 2
        yield form, what, figure


def main():
    program = os.path.abspath(sys.argv[1])
    missed = 0
    for form, what, figure in without_loops(instructions(program)):
        most = next((most for part, most in LIMITS if part in what), None)
        above = most is not None and figure > most
        missed += above
        print(f'{form:14} {what:34} {figure:8.2f} instructions' + (f' (at most {most})' if most else '') + (' ABOVE' if above else ''))
    subprocess.run([program], check=True)
    return 1 if missed else 0


if __name__ == '__main__':
    sys.exit(main())
