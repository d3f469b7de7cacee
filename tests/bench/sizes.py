#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Sizes of the library per layer: sizes.py BUILD-DIRECTORY. One line a layer: code, data, bss in bytes, lines of source.

And what of each layer a hypervisor in an image holds (examples/bare, compiled for size): code and data in bytes.
"""
import collections
import glob
import os
import re
import subprocess
import sys

# Parts of the hypervisor's layers that are features of their own: what their objects' names have.
APART = {'partitions': 'partition|bare_lend', 'alarms': 'core_alarm'}
# What a hypervisor for one guest consists of, without those, has at most so many bytes.
PARTS = ('core', 'mmu', 'host', 'cpu_native', 'cpu_svm')
MOST = 88072

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


def image_sizes(path):
    """Bytes of code and data that came from each layer's archive, by the linker's map."""
    sizes = collections.Counter()
    section = ''
    with open(path) as stream:
        for line in stream:
            alone = re.match(r' (\.\S+)$', line)
            part = re.match(r' (\.\S+)? +0x([0-9a-f]+) +0x([0-9a-f]+) (\S.*)', line)
            if alone:
                section = alone[1]
            elif part:
                section = part[1] or section
                if re.match(r'\.(text|rodata|data|multiboot|note\.pvh)', section) and int(part[2], 16):
                    layer = re.search(r'libbare_(\w+)\.a', part[4])
                    sizes[layer[1] if layer else 'the image itself'] += int(part[3], 16)
                    for name, objects in APART.items():
                        if layer and re.search(objects, part[4]):
                            sizes[f'{name} (of the layers above)'] += int(part[3], 16)
    return sizes


def main(build):
    total = [0, 0, 0, 0]
    for path in sorted(glob.glob(f'{build}/src/**/libvmm_*.a', recursive=True)):
        layer = os.path.relpath(os.path.dirname(path), f'{build}/src')
        row = [*archive_size(path), source_lines(f'{SOURCE}/src/{layer}')]
        total = [a + b for a, b in zip(total, row)]
        print(f'size of {layer}: code {row[0]}, data {row[1]}, bss {row[2]} bytes; {row[3]} lines')
    image = f'{build}/examples/bare/bare.map'
    size = 0
    if os.path.exists(image):
        sizes = image_sizes(image)
        for name, size in sorted(sizes.items()):
            print(f'size in the bare image of {name}: {size} bytes')
        apart = sum(sizes[f'{name} (of the layers above)'] for name in APART)
        size = sum(sizes[part] for part in PARTS) - apart
        print(f'size in the bare image of {" + ".join(PARTS)}, without {" and ".join(APART)}: {size} bytes (at most {MOST})')
    print(f'size of all layers: code {total[0]}, data {total[1]}, bss {total[2]} bytes; {total[3]} lines')
    return size > MOST


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
