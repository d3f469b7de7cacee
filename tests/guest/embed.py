#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Writes the guests' images as a table in C: embed.py OUTPUT IMAGE.bin..."""
import os
import sys


def main(output, *paths):
    parts = ['#include "guest.h"\n']
    entries = []
    for path in paths:
        name = os.path.splitext(os.path.basename(path))[0]
        with open(path, 'rb') as stream:
            data = ','.join(map(str, stream.read()))
        parts.append(f'static const unsigned char {name}[] = {{{data}}};\n')
        entries.append(f'{{"{name}", {name}, sizeof({name})}},\n')
    parts.append(f'const struct image images[] = {{\n{"".join(entries)}}};\n')
    parts.append('const size_t image_count = sizeof(images) / sizeof(images[0]);\n')
    with open(output, 'w') as stream:
        stream.writelines(parts)


if __name__ == '__main__':
    main(*sys.argv[1:])
