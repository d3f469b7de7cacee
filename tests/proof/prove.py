#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Proves the memory engine at small scope with CBMC (scripts/fetch-cbmc), and that faults put in are found.

    prove.py [--all] [--bits N] [--kind KIND]...

Every loop and recursion has its own bound, and CBMC proves that none needs more (--unwinding-assertions).
Beside equality with the model: no access out of bounds, no bad pointer, no signed overflow, no shift too
far. Each fault is put into a copy of the sources; the proof must then fail.
"""
import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = os.environ.get('CBMC', os.path.join(SOURCE, '.cache', 'cbmc'))
PARTS = ['src/mmu', 'src/hw', 'src/base', 'include', 'tests/proof']
CHECKS = ['--bounds-check', '--pointer-check', '--pointer-overflow-check', '--signed-overflow-check', '--undefined-shift-check',
          '--div-by-zero-check', '--unwinding-assertions', '--no-malloc-may-fail', '--object-bits', '12']
MEMORY = 8 << 30
LIMIT = 3600  # seconds a run

# Kinds of operations as the harness counts them, and how many of its large leaves make a difference to each.
KINDS = {'map': (0, 1), 'unmap': (1, 2), 'protect': (2, 2), 'split': (3, 2), 'merge': (4, 1), 'harvest': (5, 2), 'lookup': (6, 2)}

# Calls through pointers, and what alone they reach: CBMC would try every function of a like type.
POINTERS = {'table_at': 'virt', 'derive_attributes': 'npt_prot', 'clean': 'clean_cache', 'invalidate': 'flush', 'lock': 'take_lock',
            'unlock': 'drop_lock', 'vmm__pt_translate': 'translate_any', 'harvest_leaf': 'tell'}

# Faults: (what, file, text, in its place, kind, first page, pages).
FAULTS = [
    ('rollback: pages run out half-way', 'src/mmu/pt_update.c', 'return pt->pool_pages < need ? -VMM_ENOMEM : 0;', 'return 0;',
     'map', 1, 1),
    ('rollback: one page too few is enough', 'src/mmu/pt_update.c', 'return pt->pool_pages < need ? -VMM_ENOMEM : 0;',
     'return pt->pool_pages + 1 < need ? -VMM_ENOMEM : 0;', 'map', 1, 2),
    ('W^X: writable and executable let through', 'src/mmu/pt.c', 'refused ? 0 : f->prot', 'f->prot', 'map', 1, 1),
    ('a table published before it is filled', 'src/mmu/pt_update.c',
     'map_table(op, t, level - 1, first, last, true);\n\tentry_put(slot, addr_encode(pt, pa) | pt->table[level]);',
     'entry_put(slot, addr_encode(pt, pa) | pt->table[level]);\n\tmap_table(op, t, level - 1, first, last, true);', 'map', 1, 1),
    ('merge forgets what was written', 'src/mmu/pt_update.c', 'entry_or(slot, noted);', ';', 'merge', 0, 2),
    ('an emptied table is kept', 'src/mmu/pt_update.c', 'if (is_unmap(op))\n\t\tunlink_empty(op, &p);', '', 'unmap', 1, 1),
]


def bounds(bits):
    """Times around each loop, and into each recursion; the harness's own loops have --unwind."""
    words = (1 << bits) + 1
    times = dict.fromkeys((
        'entry_fill.2', 'entry_any.2', 'free_table.0', 'reap.0', 'plan_map.0', 'map_table.0', 'plan_cuts.0', 'build_table.0',
        'inherit.0', 'unmap_run.0', 'change_table.0', 'protect_plain.0', 'protect_run.1', 'merge_table.0', 'table_noted.0',
        'merged_leaf.0', 'finish_batch.0', 'harvest_table.0'), words)
    times.update(dict.fromkeys((
        'tables_for.0', 'top_for.0', 'descend.0', 'walk_4k.0', 'fill_leaves.0', 'protect_run.0', 'unlink_empty.0', 'harvest_leaf.0',
        'walk.0', 'walk_beside_writer.0'), 2))
    times.update(dict.fromkeys((
        'entry_fill.0', 'entry_fill.1', 'entry_any.0', 'entry_any.1', 'free_table', 'reap', 'plan_map', 'map_table', 'map_below',
        'plan_cuts', 'plan_cut', 'build_table', 'inherit', 'change_table', 'change_cut', 'protect_run', 'merge_table',
        'harvest_table', 'split_leaf'), 1))
    times.update({'levels_for.0': 3, 'derive_levels.0': 3, 'derive_levels.1': 3, 'derive_attributes.0': 33, 'derive_attributes.1': 5})
    return ','.join(f'{loop}:{n}' for loop, n in times.items())


def tool(name, *arguments, folder):
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    return subprocess.run([os.path.join(TOOLS, name), *arguments], cwd=folder, capture_output=True, text=True, preexec_fn=limit,
                          timeout=LIMIT, check=False)


def variants(kind, bits):
    return {'map': 1 << bits, 'protect': 4}.get(kind, 1)


def prove(folder, function, bits, split, kind='map', first=0, count=1, before='map', starts=(0,)):
    """The assertions that fail; none: proven."""
    return [failure for variant in range(variants(kind, bits)) for start in starts
            for failure in prove_one(folder, function, bits, split, kind, first, count, variant, before, start)]


def mappings(bits, first, count, every):
    """How a first mapping of a range can go: pages in the pool, where it leads to, and with which attributes."""
    words, tables = 1 << bits, 2
    large = any(first <= block and block + words <= first + count for block in range(0, tables * words, words))
    return [(constant * (tables + 1) + pages) * words + residue
            for pages in (range(tables + 1) if every else [tables]) for residue in range(words)
            for constant in ([0, 1] if every and large and residue == first % words else [1])]


def prove_one(folder, function, bits, split, kind, first, count, variant, before, start):
    number, leaves = KINDS[kind]
    with tempfile.TemporaryDirectory() as built:
        tool('goto-cc', '-o', f'{built}/all', f'-DBITS_PER_LEVEL={bits}', f'-DSPLIT=VMM__PT_SPLIT_{split.upper()}', f'-DKIND={number}',
             f'-DLEAVES={leaves}', f'-DFIRST={first}', f'-DCOUNT={count}', f'-DVARIANT={variant}', f'-DFIRST_KIND={KINDS[before][0]}',
             f'-DSTART={start}', *(f'-I{part}' for part in PARTS[:-1]), 'tests/proof/mmu_proof.c', '--function', function, folder=folder)
        tool('goto-instrument', *(word for caller, target in POINTERS.items() for word in (
            '--restrict-function-pointer', f'{caller}.function_pointer_call.1/{target}')), f'{built}/all', f'{built}/proof', folder=folder)
        try:
            done = tool('cbmc', f'{built}/proof', '--function', function, '--unwindset', bounds(bits), '--unwind', '33', *CHECKS,
                        folder=folder)
        except subprocess.TimeoutExpired:
            return [('cbmc', f'no answer in {LIMIT} s')]
    failed = re.findall(r'^\[(.*)\] (.*): FAILURE$', done.stdout, re.M)
    if 'VERIFICATION SUCCESSFUL' not in done.stdout and not failed:
        sys.exit(f'{function} {kind} {first} {count}\n' + done.stdout[-3000:] + done.stderr[-3000:])
    return failed


def with_fault(name, text, instead, kind, first, count):
    with tempfile.TemporaryDirectory() as folder:
        for part in PARTS:
            shutil.copytree(os.path.join(SOURCE, part), os.path.join(folder, part))
        with open(os.path.join(folder, name), encoding='utf-8') as stream:
            before = stream.read()
        if text not in before:
            sys.exit(f'{name} no longer holds: {text}')
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as stream:
            stream.write(before.replace(text, instead, 1))
        return prove(folder, 'one_operation', 1, 'live', kind, first, count)


def report(what, runs):
    """Runs what is to be proven; says how it went."""
    start = time.monotonic()
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    failed = [failure for run in runs for failure in prove(SOURCE, *run)]
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - used
    print(f'{what}: {"NOT PROVEN" if failed else "proven"}, {len(runs)} runs, {time.monotonic() - start:.0f} s ({used:.0f} s of CPU)',
          flush=True)
    for where, text in failed:
        print(f'  {where}: {text}')
    return bool(failed)


def main():
    parser = argparse.ArgumentParser(description='Prove the memory engine at small scope, and find faults put into it.')
    parser.add_argument('--all', action='store_true', help='every range, and every pair of operations; hours')
    parser.add_argument('--bits', type=int, default=1, choices=(1, 2), help='index bits of a table')
    parser.add_argument('--kind', action='append', choices=list(KINDS))
    options = parser.parse_args()
    if not os.path.exists(os.path.join(TOOLS, 'cbmc')):
        print('no CBMC: scripts/fetch-cbmc gets it')
        return 77
    bits, pages, bad = options.bits, 2 << options.bits, 0
    # Within a table, from one into the next, and all.
    ranges = [(1, 1), (1, pages // 2), (0, pages)]
    if options.all:
        ranges = [(first, count) for first in range(pages) for count in range(1, pages - first + 1)]
    scope = f'{bits} bits x 2 levels'
    if not options.kind:
        bad += report('ranges, 64 bits', [('arithmetic', bits, 'live')])
    for kind in options.kind or KINDS:
        bad += report(f'{scope}: any table, then {kind}',
                      [('one_operation', bits, 'live', kind, *r) for r in (ranges if kind != 'lookup' else ranges[:1])])
    for kind in options.kind or ('unmap', 'protect', 'split', 'merge'):
        if kind in ('unmap', 'protect', 'split', 'merge'):
            bad += report(f'{scope}, break before make: any table, then {kind}',
                          [('one_operation', bits, 'break', kind, *r) for r in ranges[:None if options.all else 1]])
    for kind in options.kind or KINDS:
        bad += report(f'{scope}: an empty table, map, then {kind} of any range',
                      [('two_operations', bits, 'live', kind, *r, 'map', mappings(bits, *r, options.all)) for r in ranges])
    for before in ('unmap', 'protect'):
        for kind in options.kind or ('map', 'unmap', 'protect'):
            bad += report(f'{scope}: an empty table, {before}, then {kind} of any range',
                          [('two_operations', bits, 'live', kind, *r, before, [2 << bits]) for r in ranges[:None if options.all else 1]])
    for what, *fault in FAULTS:
        failed = with_fault(*fault)
        bad += not failed
        print(f'{what}: {"found" if failed else "NOT FOUND"}' + (f' ({failed[0][1]})' if failed else ''), flush=True)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
