#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Compiles the freestanding layers for every target and looks at the symbols they leave undefined.

    check.py --source DIR --build DIR {--layer NAME {--include DIR} FILE...}

Only the compilers' own headers are in reach, so an include of libc does not compile. All layers of
a target taken together may leave undefined only ALLOWED: no __chkstk (a frame above 4 KiB), no
128-bit division, no outline atomics, no libc. What they define begins with vmm_, because a
static library's names meet those of the firmware it is linked into.
"""
import os
import re
import shutil
import subprocess
import sys

ALLOWED = {'memcpy', 'memmove', 'memset', 'memcmp'}
LINKER = {'_GLOBAL_OFFSET_TABLE_'}  # made by the linker
DEFINED = re.compile(r'vmm_|\?\?_C@|__xmm@|__real@')  # the others: literals of PE, merged by the linker

# Directories of src/ that are hosted on purpose.
HOSTED = {'host/linux', 'cpu/kvm', 'loader/linux', 'host/bare'}
# Code for guests, which the build links apart.
GUEST = {'uefi/runtime'}

COMMON = ['-std=c11', '-ffreestanding', '-fno-stack-protector', '-fvisibility=hidden', '-O2', '-Wall', '-Wextra', '-Werror']
CLANG = ['clang', *COMMON, '-nostdlibinc']
WINDOWS = ['-fshort-wchar', '-mno-red-zone']

TARGETS = {
    'gcc-x86_64-elf': ['gcc', *COMMON, '-mno-red-zone', '-mgeneral-regs-only', '-nostdinc', '-isystem', '@gcc-headers@'],
    'clang-x86_64-elf': [*CLANG, '--target=x86_64-unknown-none-elf', '-mno-red-zone', '-mgeneral-regs-only'],
    'clang-aarch64-elf': [*CLANG, '--target=aarch64-unknown-none-elf', '-mgeneral-regs-only', '-mstrict-align', '-mno-outline-atomics'],
    'clang-x86_64-pe': [*CLANG, '--target=x86_64-unknown-windows', *WINDOWS],
    'clang-aarch64-pe': [*CLANG, '--target=aarch64-unknown-windows', '-fshort-wchar', '-mno-outline-atomics'],
}


def parse(arguments):
    options = {}
    layers = []
    while arguments:
        word = arguments.pop(0)
        if word in ('--source', '--build'):
            options[word[2:]] = arguments.pop(0)
        elif word == '--layer':
            layers.append({'name': arguments.pop(0), 'includes': [], 'files': []})
        elif word == '--include':
            layers[-1]['includes'].append(arguments.pop(0))
        else:
            layers[-1]['files'].append(os.path.abspath(word))
    return options['source'], options['build'], layers


def compile_all(source, build, layers):
    """Every file for every target, by ninja, so that a second run compiles what has changed only."""
    headers = subprocess.run(['gcc', '-print-file-name=include'], capture_output=True, text=True, check=True).stdout.strip()
    os.makedirs(build, exist_ok=True)
    lines = ['rule cc', '  command = $compile -MD -MF $out.d -c $in -o $out', '  depfile = $out.d', '  deps = gcc']
    objects = {target: [] for target in TARGETS}
    for target, command in TARGETS.items():
        command = ' '.join(command).replace('@gcc-headers@', headers)
        for layer in layers:
            # What has assembly is for x86-64.
            if 'x86_64' not in target and any(path.endswith('.S') for path in layer['files']):
                continue
            includes = ' '.join('-I' + os.path.join(source, include) for include in layer['includes'])
            for path in layer['files']:
                out = f'{target}/{layer["name"].replace("/", "-")}/{os.path.basename(path)}.o'
                lines += [f'build {out}: cc {path}', f'  compile = {command} {includes}']
                objects[target].append(out)
    with open(os.path.join(build, 'build.ninja'), 'w') as stream:
        stream.write('\n'.join(lines) + '\n')
    done = subprocess.run(['ninja', '-C', build, '-k', '0', '-j', '2', '--quiet'], capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stdout + done.stderr)
    return done.returncode == 0, objects


def symbols(build, paths):
    """{name: file} of what the objects define for others, and of what they use."""
    nm = shutil.which('llvm-nm-14') or shutil.which('llvm-nm') or 'nm'
    defined, used = {}, {}
    out = subprocess.run([nm, '--print-file-name', '--extern-only', '--format=posix', *paths],
                         capture_output=True, text=True, cwd=build, check=True).stdout
    for line in out.splitlines():
        path, name, kind = line.split()[:3]
        (used if kind in 'Uw' else defined)[name] = path.rstrip(':')
    return defined, used


def check_symbols(build, target, paths):
    defined, used = symbols(build, paths)
    problems = [f'{path} needs {name}' for name, path in sorted(used.items()) if name not in defined and name not in ALLOWED | LINKER]
    problems += [f'{path} defines {name}, which does not begin with vmm_' for name, path in sorted(defined.items())
                 if not DEFINED.match(name)]
    for problem in problems:
        print(f'{target}: {problem}')
    return not problems


def check_registered(source, layers):
    """Every file of src is of a layer that is checked here, or of one that is hosted on purpose."""
    known = {path for layer in layers for path in layer['files']}
    missing = []
    for folder, _, names in os.walk(os.path.join(source, 'src')):
        if os.path.relpath(folder, os.path.join(source, 'src')) in HOSTED | GUEST:
            continue
        missing += [os.path.join(folder, name) for name in names if name.endswith('.c')]
    missing = sorted(set(missing) - known)
    for path in missing:
        print(f'{os.path.relpath(path, source)} is in no layer of freestanding_layers')
    return not missing


def main():
    source, build, layers = parse(sys.argv[1:])
    source = os.path.abspath(source)
    if not shutil.which('clang'):
        print('clang is not installed: run scripts/deps test')
        return 77
    well = check_registered(source, layers)
    compiled, objects = compile_all(source, build, layers)
    if compiled:
        for target, paths in objects.items():
            well = check_symbols(build, target, paths) and well
    return 0 if well and compiled else 1


if __name__ == '__main__':
    sys.exit(main())
