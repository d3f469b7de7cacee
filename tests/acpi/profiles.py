# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Profiles made from what the library says of its keys, so that a new key is tried without being named here."""
import random
import subprocess

STRING, NUMBER, SIZE, BOOLEAN = 1, 2, 3, 4
MIB = 1 << 20

# sockets, dies, clusters, cores, threads: from 1 to 1,024 CPUs.
TOPOLOGIES = [
    (1, 1, 1, 1, 1), (1, 1, 1, 2, 1), (2, 1, 1, 2, 1), (1, 1, 1, 2, 2), (2, 1, 1, 1, 1), (1, 2, 2, 2, 2), (3, 1, 1, 5, 1), (1, 1, 1, 16, 1),
    (4, 1, 2, 4, 2), (1, 1, 1, 64, 1), (3, 3, 1, 7, 2), (1, 1, 1, 255, 1), (2, 1, 1, 128, 1), (1, 1, 1, 3, 100), (2, 1, 1, 64, 4),
    (3, 3, 1, 37, 3), (16, 1, 1, 64, 1), (1, 1, 1, 1, 1024 // 8),
]
TOPOLOGY = ('sockets', 'dies', 'clusters', 'cores', 'threads')

# Strings that mean something; any other is a text of no meaning. Left alone: what is a list, and files.
WORDS = {
    'machine.arch': ['x86', 'arm64'], 'tpm.interface': ['crb', 'tis'], 'arm.psci': ['hvc', 'smc'],
    'vmgenid.guid': ['00112233-4455-6677-8899-aabbccddeeff'], 'smbios.uuid': ['33221100-5544-7766-8899-aabbccddeeff'],
    'boot.firmware': ['', 'vuefi', 'bios'], 'smbios.bios-date': ['11/21/2026'],
}
ALONE = {'cpu.model', 'boot.kernel', 'boot.initrd', 'boot.cmdline', 'numa.cpus', 'numa.distances'}

# A number of no meaning would seldom go with the others.
NUMBERS = {
    'memory.size': [MIB, 64 * MIB, 3 << 30, 5 << 30, 200 << 30], 'memory.nodes': [1, 2, 4, 5], 'memory.slots': [1, 3, 64],
    'memory.hotplug': [1 << 30, 16 << 30], 'cpu.mhz': [2400, 3700],
    'cache.l1d': [32 << 10, 48 << 10], 'cache.l1i': [32 << 10], 'cache.l2': [1 << 20, 2 << 20], 'cache.l3': [32 << 20],
    'numa.memory': [0], 'serial.port': None, 'serial.irq': None, 'debug-exit.port': None, 'bgrt.image': [0, 0x7fe00000],
}


class Key:
    def __init__(self, line):
        self.section, self.name, *rest = line.split('\t')
        self.kind, self.indices, self.min, self.max = map(int, rest[:4])
        self.defaults = [text if self.kind == STRING else int(text) for text in rest[4:]]
        self.full = f'{self.section}.{self.name}'

    def values(self):
        """Values worth trying; none for a key that is left alone."""
        if self.kind == BOOLEAN:
            return [0, 1]
        if self.kind == STRING:
            return [] if self.full in ALONE else WORDS.get(self.full, [f'{self.name} of it'])
        if self.full in NUMBERS:
            return NUMBERS[self.full] or []
        if self.kind == SIZE:
            return [self.min, min(self.max, 1 << 30)]
        return [self.min, self.min + 1, (self.min + self.max) // 2, self.max]


class Profile:
    """What a key has in a profile: p('cpu', 'cores'), p('serial', 'port', 1)."""

    def __init__(self, chosen, keys):
        self.chosen = chosen
        self.defaults = {(key.section, i, key.name): key.defaults[i] for key in keys for i in range(key.indices)}

    def __call__(self, section, name, index=0):
        return self.chosen.get((section, index, name), self.defaults[section, index, name])


def read_keys(program):
    done = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True)
    return [Key(line) for line in done.stdout.splitlines()]


def draw(keys, rng, topology, share):
    """{(section, index, name): value}, each key set with a probability of @share."""
    chosen = {('cpu', 0, name): n for name, n in zip(TOPOLOGY, topology)}
    for key in keys:
        for index in range(min(key.indices, 2)):
            place = (key.section, index, key.name)
            values = key.values()
            if values and place not in chosen and rng.random() < share and not (key.section == 'cpu' and key.name in ('boot', 'present')):
                chosen[place] = rng.choice(values)
    cpus = 1
    for n in topology:
        cpus *= n
    if rng.random() < share:
        chosen['cpu', 0, 'boot'] = rng.randrange(cpus)
    if chosen.get(('cpu', 0, 'hotplug')) and rng.random() < 0.7:
        chosen['cpu', 0, 'present'] = rng.randrange(chosen.get(('cpu', 0, 'boot'), 0) + 1, cpus + 1)
    if ('memory', 0, 'slots') in chosen or ('memory', 0, 'hotplug') in chosen:
        chosen.setdefault(('memory', 0, 'slots'), 2)
        chosen.setdefault(('memory', 0, 'hotplug'), 1 << 30)
    return chosen


def all_set(keys, topology, on):
    """Every boolean on, or every one off."""
    chosen = {('cpu', 0, name): n for name, n in zip(TOPOLOGY, topology)}
    chosen.update({(k.section, i, k.name): int(on) for k in keys if k.kind == BOOLEAN for i in range(k.indices)})
    return chosen


def text_of(chosen, keys):
    kinds = {(k.section, k.name): k for k in keys}
    lines = []
    for (section, index, name), value in chosen.items():
        key = kinds[section, name]
        head = f'{section} {index}' if key.indices > 1 else section
        lines.append(f'[{head}]\n{name} = ' + (f'"{value}"' if key.kind == STRING else str(value)))
    return '\n'.join(lines) + '\n'


def generate(keys, count, accepts):
    """@count profiles that accepts(text) takes; where it refuses one, a quarter of what was chosen is dropped."""
    rng = random.Random(20261121)
    made = []
    for number in range(count):
        topology = TOPOLOGIES[number % len(TOPOLOGIES)]
        if number in (1, 2):
            chosen = all_set(keys, topology, number == 1)
        elif number == 0:
            chosen = {}
        else:
            chosen = draw(keys, rng, topology, rng.choice([0.15, 0.4, 0.7]))
        while not accepts(text_of(chosen, keys)):
            droppable = [place for place in chosen if place[:2] != ('cpu', 0) or place[2] not in TOPOLOGY]
            if not droppable:
                raise SystemExit(f'profile {number} of topology {topology} is refused')
            for place in rng.sample(droppable, len(droppable) // 4 + 1):
                del chosen[place]
        made.append(chosen)
    return made


def missing(keys, made):
    """Booleans that were not both on and off among the profiles."""
    seen = {}
    for chosen in made:
        for (section, index, name), value in chosen.items():
            seen.setdefault((section, name), set()).add(value)
    return [key.full for key in keys if key.kind == BOOLEAN and seen.get((key.section, key.name), set()) != {0, 1}]
