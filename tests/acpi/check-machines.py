#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""check-machines.py TABLES KEYS [COUNT]: the tables of COUNT generated profiles, made by vmm-tables (TABLES).

For each: vmm-tables finds nothing wrong; iasl disassembles every table, compiles it again, and gives it back from byte 36;
acpiexec evaluates all objects of the namespace whose names stand below, and what they give is what the profile asks for; MADT,
SRAT, SLIT, PPTT, MCFG, HMAT, FADT and SMBIOS, read by the decoder here, say what the profile says.
Exit status 77 where there is no iasl or acpiexec; an iasl that does not know ACPI 6.5 (scripts/fetch-iasl has one that does)
is not asked for PPTT and SPCR, which it compiles in their old lengths."""
import concurrent.futures
import importlib.util
import os
import re
import subprocess
import sys
import tempfile

import decode
import expect
import profiles

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'unit', 'acpi'))
import acpica  # noqa: E402

spec = importlib.util.spec_from_file_location('check_iasl', os.path.join(HERE, '..', 'unit', 'acpi', 'check-iasl.py'))
check_iasl = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_iasl)

ACPIEXEC = acpica.tool('acpiexec')

# Evaluations in one process.
CHUNK = 200

# Tables that are longer than an iasl before ACPI 6.5 knows.
GROWN = ['PPTT.dat', 'SPCR.dat']

# Every object of these names is to be expected, and to give what is expected.
NAMES = ['_CRS', '_STA', '_PRT', '_OSC', '_EJ0', '_OST', '_MAT', '_PXM', '_CST', '_PCT', '_PSS', '_PPC', '_PSD', '_CPC', '_TMP', '_CRT', '_TZP',
         '_PS0', '_PS3', '_PSC', '_PR0', '_PR3', '_ON', '_OFF', '_EVT', '_S0', '_S1', '_S2', '_S3', '_S4', '_S5', '_LCK', '_DSM', '_PLD', '_INI', '_REG']


# -- acpiexec -------------------------------------------------------------------------------------

class Lines:
    def __init__(self, lines):
        self.lines = lines
        self.at = 0


def take_bytes(lines, first):
    """The bytes of a dump: on the line that begins it, or on those that follow."""
    data = b''
    text = first
    while True:
        if dump := re.match(r'\s*[0-9A-F]{4,}: ((?:[0-9A-F]{2} )+)', text):
            data += bytes.fromhex(dump.group(1))
        elif text.strip():
            return data
        if lines.at == len(lines.lines) or not re.match(r'\s*[0-9A-F]{4,}: ', lines.lines[lines.at]):
            return data
        text = lines.lines[lines.at]
        lines.at += 1


def take_value(lines):
    """An integer, bytes, a list, a text; None at the end."""
    while lines.at < len(lines.lines):
        line = lines.lines[lines.at]
        lines.at += 1
        if found := re.search(r'\[Integer\] = ([0-9A-F]{16})', line):
            return int(found.group(1), 16)
        if found := re.search(r'\[Buffer\] Length [0-9A-F]+ =(.*)', line):
            return take_bytes(lines, found.group(1))
        if found := re.search(r'\[Package\] Contains (\d+) Elements', line):
            return [take_value(lines) for _ in range(int(found.group(1)))]
        if found := re.search(r'\[String\] Length [0-9A-F]+ = "(.*)"', line):
            return found.group(1)
    return None


def as_resources(value):
    """What is a template becomes a list of descriptors, in packages too."""
    if isinstance(value, list):
        return [as_resources(element) for element in value]
    if isinstance(value, bytes) and len(value) >= 2 and value[-2] == 0x79:
        try:
            return decode.resources(value)
        except (ValueError, IndexError):
            return value
    return value


def complaints(text):
    return [line for line in text.splitlines()
            if re.search(r'ACPI (Error|Warning|BIOS)|AE_\w+', line) and 'Outstanding' not in line and 'AE_OK' not in line]


def run_acpiexec(folder, commands, fill):
    """{number of the command: its lines}, and what was complained of."""
    tables = sorted(name for name in os.listdir(folder) if re.fullmatch(r'(DSDT|SSDT\d*)\.aml', name))
    done = subprocess.run([ACPIEXEC, '-fv', str(fill), *tables], cwd=folder, input='\n'.join(commands + ['quit', '']), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', timeout=300)
    parts = re.split(r'^- ', done.stdout, flags=re.M)
    return [part.splitlines() for part in parts[1:len(commands) + 1]], complaints(done.stdout)


def normal(path):
    return '\\' + '.'.join(segment.rstrip('_') if segment.strip('_') else segment for segment in path.lstrip('\\').split('.'))


def find_all(folder):
    """The paths of all objects of NAMES."""
    answers, wrong = run_acpiexec(folder, [f'find {name}' for name in NAMES], 0)
    found = set()
    for lines in answers:
        for line in lines[1:]:
            if place := re.match(r'\s+(\\\S+) (Buffer|Method|Package|Integer|String|Alias|\[)', line):
                found.add(normal(place.group(1)))
    return found, wrong


def chunks(wanted):
    """Parts that stand alone: what a call has left in registers is asked for right behind it."""
    part = []
    for command, value in wanted:
        if len(part) >= CHUNK and not re.search(r'(SEL|STS|OEV|OSS|_PSC)$', command):
            yield part
            part = []
        part.append((command, value))
    if part:
        yield part


def evaluate(folder, wanted, fill):
    """Names what does not come out as wanted: [(command, value)]. acpiexec rests for 10 ms after each method, so many run at once."""
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        return [line for wrong in pool.map(lambda part: evaluate_part(folder, part, fill), chunks(wanted)) for line in wrong]


def evaluate_part(folder, wanted, fill):
    """A function of what was found may stand for a value."""
    answers, wrong = run_acpiexec(folder, ['execute ' + command for command, _ in wanted], fill)
    if len(answers) != len(wanted):
        return wrong + [f'acpiexec answered {len(answers)} of {len(wanted)} commands']
    for (command, value), lines in zip(wanted, answers):
        got = as_resources(take_value(Lines(lines)))
        value = value(got) if callable(value) else value
        if got != value and got != as_resources(value):
            wrong.append(f'{command}: {got} instead of {value}')
    return wrong


def notified(folder, m, fill):
    """Who is told of an event when all event bits read as set, and the scan finds no slot."""
    told, scanned = m.events()
    if not told and not scanned:
        return []
    gsi = 41 if m.arm else 9
    # Another thread prints what is notified: it is given time by calls that rest.
    answers, wrong = run_acpiexec(folder, [f'execute \\_SB.GED._EVT {gsi}'] + ['execute \\_SB.GED._UID'] * 20, fill)
    seen = set(re.findall(r'Notify on \[(\w+)\]', '\n'.join(line for lines in answers for line in lines)))
    if seen != (told if fill else set()):
        wrong.append(f'_EVT notifies {sorted(seen)} instead of {sorted(told)}')
    return wrong


def check_namespace(folder, m):
    static = expect.objects(m)
    found, wrong = find_all(folder)
    covered = {normal(path) for path in static}
    for fill in (0, 255):
        made = expect.calls(m, fill)
        covered |= {normal(command.split()[0]) for command, _ in made}
        wrong += evaluate(folder, made if fill else list(static.items()) + made, fill)
        wrong += notified(folder, m, fill)
    covered.add('\\_SB.GED._EVT')
    covered |= {f'\\_SB.{device}._PXM' for device in [f'C{i:03X}' for i in range(m.cpus)] + ['PCI0']}  # against the SRAT
    return wrong + [f'{path}: nothing is expected of it' for path in sorted(found - covered)]


# -- Tables ---------------------------------------------------------------------------------------

def without_online_capable(table):
    """iasl 20250404 does not keep bit 1 of the flags of a local x2APIC (5.2.12.12); the decoder here looks at it."""
    table = bytearray(table)
    for kind, _, at in decode.entries(table, 44):
        if kind == 9:
            table[at + 8] &= 0xfd
    table[9] = (table[9] - sum(table)) & 0xff
    return bytes(table)


def read(folder, name):
    path = os.path.join(folder, name + '.dat')
    if not os.path.exists(path):
        return None
    with open(path, 'rb') as stream:
        return stream.read()


def check_madt(folder, m):
    madt = decode.madt(read(folder, 'APIC'))
    flags = {cpu: 1 if m.arm or cpu < m.present else 2 for cpu in range(m.cpus)}
    wanted = {cpu: (m.hardware_id(cpu), flags[cpu]) for cpu in range(m.cpus)}
    wrong = [] if madt['cpus'] == wanted else [f'MADT: {madt["cpus"]} instead of {wanted}']
    if madt['order'][0] != m.boot:
        wrong.append(f'MADT: processor {madt["order"][0]} is the first, and {m.boot} starts')
    if m.arm and (madt['gicd'] != [(0x08000000, 3)] or bool(madt['its']) != bool(m.p('arm', 'its'))):
        wrong.append(f'MADT: {madt}')
    if not m.arm and (decode.le(read(folder, 'APIC'), 40, 4) != 0) != bool(m.p('legacy', 'pic')):
        wrong.append('MADT: PCAT_COMPAT')
    if not m.arm and madt['ioapics'] != [(0xfec00000, 0)]:
        wrong.append(f'MADT: I/O APICs {madt["ioapics"]}')
    return wrong


def check_numa(folder, m):
    table = read(folder, 'SRAT')
    if m.nodes == 1 and not m.hotplug_memory:
        return [] if table is None else ['a SRAT for one node']
    cpus, memory = decode.srat(table)
    wrong = []
    wanted = {cpu if m.arm else m.hardware_id(cpu) for cpu in range(m.cpus)}
    if set(cpus) != wanted:
        wrong.append(f'SRAT: processors {sorted(cpus)}')
    ram = sum(length for _, _, length, flags in memory if flags == 1)
    if not 0 <= m.p('memory', 'size') - ram <= 2 * expect.MIB:
        wrong.append(f'SRAT: {ram:#x} bytes of RAM')
    if sum(length for _, _, length, flags in memory if flags == 3) != m.hotplug_memory:
        wrong.append(f'SRAT: memory {memory}')
    if {node for node, *_ in memory} | set(cpus.values()) != set(range(m.nodes)):
        wrong.append('SRAT: a node has nothing')
    distances = read(folder, 'SLIT')
    if m.nodes > 1 and decode.slit(distances) != [[10 if a == b else 20 for b in range(m.nodes)] for a in range(m.nodes)]:
        wrong.append('SLIT: distances')
    return wrong


def check_pptt(folder, m):
    table = read(folder, 'PPTT')
    if table is None:
        return [] if m.cpus == 1 and not m.arm and not m.p('cache', 'l1d') else ['there is no PPTT']
    nodes = decode.pptt(table)
    leaves = sorted(n['uid'] for n in nodes.values() if n['kind'] == 'cpu' and n['flags'] & 8)
    packages = [n for n in nodes.values() if n['kind'] == 'cpu' and n['flags'] & 1]
    wrong = []
    if leaves != list(range(m.cpus)):
        wrong.append(f'PPTT: leaves {leaves}')
    if len(packages) != m.shape[0] or any(n['parent'] for n in packages):
        wrong.append(f'PPTT: {len(packages)} packages')
    for n in nodes.values():
        if n['kind'] == 'cache' and n['sets'] * n['ways'] * n['line'] != n['bytes']:
            wrong.append(f'PPTT: a cache of {n}')
    sizes = {n['bytes'] for n in nodes.values() if n['kind'] == 'cache'}
    if m.p('cache', 'l1d') and sizes != {m.p('cache', name) for name in ('l1d', 'l1i', 'l2', 'l3')} - {0}:
        wrong.append(f'PPTT: caches of {sizes}')
    return wrong


def check_fadt(folder, m):
    p, f = m.p, decode.fadt(read(folder, 'FACP'))
    sleeps = not m.arm and any(p('power', name) for name in ('off', 'standby', 'suspend', 'hibernate'))
    resets = not m.arm and bool(p('power', 'reset'))
    none = (0, 0, 0, 0, 0)
    wanted = {
        'reset': (1, 8, 0, 1, 0x606) if resets else none,
        'reset value': 1 if resets else 0,
        'control': (1, 8, 0, 1, 0x604) if sleeps else none,
        'status': (1, 8, 0, 1, 0x605) if sleeps else none,
        'iapc': 0 if m.arm else 4 | (0 if p('legacy', 'rtc') else 0x20) | (2 if p('legacy', 'i8042') else 0),
        'arm': (3 if p('arm', 'psci') == 'hvc' else 1) if m.arm else 0,
    }
    wrong = [f'FADT: {name} {f[name]} instead of {value}' for name, value in wanted.items() if f[name] != value]
    if not f['flags'] >> 20 & 1 or bool(f['flags'] >> 10 & 1) != resets or bool(f['facs']) != bool(p('power', 'suspend')):
        wrong.append(f'FADT: flags {f["flags"]:#x}, FACS {f["facs"]:#x}')
    return wrong


def check_presence(folder, m):
    """Tables that are there because a key says so."""
    p = m.p
    serials = [i for i in range(4) if p('serial', 'enable', i)] if not m.arm else ([0] if p('serial', 'enable') else [])
    wanted = {
        'MCFG': m.pci, 'WAET': p('acpi', 'waet'), 'TPM2': p('tpm', 'enable'), 'BGRT': p('bgrt', 'image'),
        'HEST': p('ras', 'enable'), 'BERT': p('ras', 'bert'), 'SPCR': p('acpi', 'spcr') and serials, 'DBG2': p('acpi', 'dbg2') and serials,
        'GTDT': m.arm, 'IORT': m.arm and p('arm', 'its'), 'SMBIOS': p('smbios', 'enable'),
    }
    wrong = [f'{name}: there is {"none" if on else "one"}' for name, on in wanted.items() if bool(on) != (read(folder, name) is not None)]
    if m.pci and decode.mcfg(read(folder, 'MCFG')) != [(0x4010000000 if m.arm else 0xe0000000, 0, 0, p('pci', 'buses') - 1)]:
        wrong.append(f'MCFG: {decode.mcfg(read(folder, "MCFG"))}')
    return wrong


def check_smbios(folder, m):
    """DSP0134 3.6.0: processors, memory and names."""
    blob = read(folder, 'SMBIOS')
    if blob is None:
        return []
    p, found = m.p, decode.smbios(blob)
    wrong = []
    system = next((strings for kind, _, strings in found if kind == 1), [])
    if p('smbios', 'product') and p('smbios', 'product') not in system:
        wrong.append(f'SMBIOS: system {system}')
    sockets = [f for kind, f, _ in found if kind == 4]
    threads = sum(decode.le(f, 46, 2) for f in sockets)
    if len(sockets) != m.shape[0] or threads != m.cpus:
        wrong.append(f'SMBIOS: {len(sockets)} sockets, {threads} threads')
    memory = 0
    for kind, f, _ in found:
        if kind == 17:
            size = decode.le(f, 12, 2)
            memory += decode.le(f, 28, 4) & 0x7fffffff if size == 0x7fff else (size & 0x7fff if not size & 0x8000 else 0)
    if memory * expect.MIB != p('memory', 'size'):
        wrong.append(f'SMBIOS: {memory} MiB of memory devices')
    return wrong


CHECKS = [check_madt, check_numa, check_pptt, check_fadt, check_presence, check_smbios, check_namespace]


# -- All ------------------------------------------------------------------------------------------

def check(tool, folder, text, chosen, keys):
    profile = os.path.join(folder, 'machine.vm')
    with open(profile, 'w') as stream:
        stream.write(text)
    subprocess.run([tool, 'build', '-p', profile, '-o', folder], check=True)
    done = subprocess.run([tool, 'check', '-p', profile], stdout=subprocess.PIPE, text=True)
    wrong = done.stdout.splitlines() if done.returncode != 0 else []
    tables = sorted(name for name in os.listdir(folder) if name.endswith(('.aml', '.dat')) and name not in ('RSDP.dat', 'SMBIOS.dat'))
    m = expect.Machine(profiles.Profile(chosen, keys))
    for run in CHECKS:
        try:
            wrong += run(folder, m)
        except (ValueError, IndexError, TypeError) as error:
            wrong.append(f'{run.__name__}: {type(error).__name__}: {error}')
    madt = without_online_capable(read(folder, 'APIC'))
    with open(os.path.join(folder, 'APIC.dat'), 'wb') as stream:
        stream.write(madt)
    for name in tables:
        if name not in GROWN or check_iasl.version() >= check_iasl.KNOWS_6_5:
            wrong += check_iasl.check(os.path.join(folder, name))
    return wrong, len(tables), m.cpus


def main():
    if ACPIEXEC is None or check_iasl.IASL is None:
        print('iasl and acpiexec (package acpica-tools) are not here')
        return 77
    tool, keys = os.path.abspath(sys.argv[1]), profiles.read_keys(os.path.abspath(sys.argv[2]))
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 48

    def accepts(text):
        with tempfile.NamedTemporaryFile('w', suffix='.vm') as stream:
            stream.write(text)
            stream.flush()
            return subprocess.run([tool, 'check', '-p', stream.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode < 2

    made = profiles.generate(keys, count, accepts)
    failed = tables = 0
    for number, chosen in enumerate(made):
        text = profiles.text_of(chosen, keys)
        with tempfile.TemporaryDirectory() as folder:
            wrong, some, cpus = check(tool, folder, text, chosen, keys)
        tables += some
        failed += bool(wrong)
        print(f'{number}: {cpus} CPUs, {len(chosen)} keys, {some} tables' + ('' if wrong else ': good'), flush=True)
        if wrong:
            print(text, *wrong[:40], sep='\n')
    untried = profiles.missing(keys, made) if count >= 40 else []
    if untried:
        print('never both on and off:', *untried)
    print(f'{count - failed} of {count} profiles, {tables} tables')
    return 1 if failed or untried else 0


if __name__ == '__main__':
    sys.exit(main())
