#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Checks the public headers: check.py --include DIR --library libvmm.so HEADER...

Each compiles alone, as C11 and as C++17, by gcc and clang, without a warning, and includes nothing
but stdint.h, stddef.h and others of libvmm. All together are parsed by cffi. The functions they
declare are those the shared library exports: an undeclared symbol is not API, and a declared one is there.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

WARNINGS = ['-Wall', '-Wextra', '-Werror', '-pedantic', '-Wundef', '-Wshadow', '-Wconversion']
COMPILERS = [
    ['gcc', '-x', 'c', '-std=c11'],
    ['g++', '-x', 'c++', '-std=c++17'],
    ['clang', '-x', 'c', '-std=c11'],
    ['clang++', '-x', 'c++', '-std=c++17'],
]
EMPTY = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'empty')


def compile_alone(include, name):
    well = True
    for compiler in COMPILERS:
        done = subprocess.run([*compiler, *WARNINGS, '-I', include, '-fsyntax-only', '-'],
                              input=f'#include <libvmm/{name}>\n', capture_output=True, text=True)
        if done.returncode != 0:
            print(f'{name} by {" ".join(compiler)}:\n{done.stderr}')
            well = False
    return well


def check_includes(path):
    allowed = re.compile(r'<(stdint|stddef)\.h>|[<"]libvmm/\w+\.h[>"]')
    with open(path) as stream:
        wrong = [line.strip() for line in stream if re.match(r'\s*#\s*include', line) and not allowed.search(line)]
    for line in wrong:
        print(f'{path}: {line}: only stdint.h, stddef.h and headers of libvmm')
    return not wrong


def preprocess(include, names, api):
    done = subprocess.run(['gcc', '-E', '-P', '-nostdinc', '-I', EMPTY, '-I', include, f'-DVMM_API={api}', '-'],
                          input=''.join(f'#include <libvmm/{name}>\n' for name in names), capture_output=True, text=True, check=True)
    return done.stdout


def parse_by_cffi(text):
    import cffi
    try:
        cffi.FFI().cdef(text)
    except Exception as error:  # cffi and pycparser have many of their own
        print(f'cffi: {error}')
        return False
    return True


def exported(library):
    out = subprocess.run(['nm', '-D', '--defined-only', library], capture_output=True, text=True, check=True).stdout
    symbols = [line.split()[2] for line in out.splitlines() if line.split()[1] != 'A']
    return {name.partition('@')[0]: '@' in name for name in symbols}


def check_exports(text, library):
    declared = set(re.findall(r'\bVMM_API_HERE\b[^;{]*?\b(vmm_\w+)\s*\(', text))
    symbols = exported(library)
    problems = [f'{name} is declared and not exported' for name in sorted(declared - set(symbols))]
    problems += [f'{name} is exported and not declared' for name in sorted(set(symbols) - declared)]
    problems += [f'{name} has no symbol version' for name, versioned in sorted(symbols.items()) if not versioned]
    # The rule is VMM_API on every function, so one without it is seen in the text.
    without = re.findall(r'^(?!.*VMM_API_HERE)(?!\s).*\b(vmm_\w+)\s*\([^*]', text, re.M)
    problems += [f'{name} is declared without VMM_API' for name in without if name not in declared]
    for problem in problems:
        print(problem)
    return not problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--include', required=True)
    parser.add_argument('--library', required=True)
    parser.add_argument('headers', nargs='+')
    options = parser.parse_args()
    missing = [tool for tool in ('g++', 'clang', 'clang++') if not shutil.which(tool)]
    if missing:
        print(f'{", ".join(missing)} not installed: run scripts/deps test')
        return 77
    folder = os.path.join(options.include, 'libvmm')
    names = sorted(os.path.relpath(header, folder) for header in options.headers)
    there = sorted(name for name in os.listdir(folder) if name.endswith('.h'))
    well = True
    for name in set(there) ^ set(names):
        print(f'{name} is in include/libvmm or in its meson.build, but not in both')
        well = False
    for name in there:
        well = check_includes(os.path.join(folder, name)) and well
        well = compile_alone(options.include, name) and well
    if well:
        well = parse_by_cffi(preprocess(options.include, there, '')) and well
        well = check_exports(preprocess(options.include, there, 'VMM_API_HERE'), options.library) and well
    return 0 if well else 1


if __name__ == '__main__':
    sys.exit(main())
