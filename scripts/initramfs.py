#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Makes initramfs images, as root or not, from Debian's static busybox and whatever is asked for.

An image is one or more newc cpio archives one after the other, not compressed: the kernel takes
them as they are, and the parts that do not change need not be made again.
"""
import argparse
import os
import re
import stat
import subprocess
import sys

BUSYBOX = '/bin/busybox'
LIBRARY_DIRECTORY = 'lib/x86_64-linux-gnu'  # the loader looks here whatever a binary's run path says

GUEST_INIT = '''#!/bin/busybox sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# Words of the kernel command line say what is done at the end: poweroff (what is done when none is
# given), reboot, shell, or marker (power off straight after the first line). run="COMMAND" is run before that.
/bin/busybox echo "guest: in user space"
/bin/busybox mkdir -p /proc /sys /bin
/bin/busybox mount -t proc proc /proc
has() { case " $(/bin/busybox cat /proc/cmdline) " in *" $1 "*) true ;; *) false ;; esac; }
has marker && /bin/busybox poweroff -f
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin HOME=/ TERM=${TERM:-linux}
if [ -d /sys/firmware/efi ] && [ -e /modules/efivarfs.ko ]; then
	insmod /modules/efivarfs.ko
	mount -t efivarfs efivars /sys/firmware/efi/efivars
fi
echo "guest: kernel $(uname -r)"
echo "guest: cpus online $(nproc), list $(cat /sys/devices/system/cpu/online)"
echo "guest: memory $(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
echo "guest: clocksource $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
echo "guest: command line: $(cat /proc/cmdline)"
echo "guest: acpi lines of the kernel log:"
dmesg | grep -i acpi
echo "guest: end of acpi lines"
if [ -n "$run" ]; then
	echo "guest: run: $run"
	sh -c "$run"
	echo "guest: run ended with $?"
fi
if has shell; then
	echo "guest: a shell; 'poweroff -f' ends it"
	setsid cttyhack sh
fi
if has reboot; then
	echo "guest: rebooting"
	reboot -f
fi
echo "guest: powering off"
poweroff -f
'''


class Archive:
    """A cpio archive in the newc format (Linux Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self):
        self.parts = []
        self.names = set()

    def _entry(self, name, mode, data=b'', rdev=(0, 0)):
        encoded = name.encode() + b'\0'
        fields = [len(self.parts) + 1, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev, len(encoded), 0]
        head = b'070701' + b''.join(b'%08x' % field for field in fields) + encoded
        self.parts.append(head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4))

    def directory(self, name):
        if not name or name in self.names:
            return
        self.directory(os.path.dirname(name))
        self.names.add(name)
        self._entry(name, stat.S_IFDIR | 0o755)

    def data(self, name, data, mode=0o644):
        self.directory(os.path.dirname(name))
        self.names.add(name)
        self._entry(name, stat.S_IFREG | mode, data)

    def file(self, name, source):
        with open(source, 'rb') as stream:
            self.data(name, stream.read(), stat.S_IMODE(os.stat(source).st_mode))

    def node(self, name, major, minor):
        self.directory(os.path.dirname(name))
        self._entry(name, stat.S_IFCHR | 0o600, rdev=(major, minor))

    def bytes(self):
        self._entry('TRAILER!!!', 0)
        image = b''.join(self.parts)
        return image + bytes(-len(image) % 512)


def libraries(path):
    """The shared libraries a program needs, as (name it is asked for by, file), its loader among them."""
    with open(path, 'rb') as stream:
        if stream.read(4) != b'\x7fELF':
            return []
    answer = subprocess.run(['ldd', path], capture_output=True, text=True)
    if answer.returncode != 0:  # a static program, or not one of this architecture
        return []
    missing = re.findall(r'^\s*(\S+) => not found', answer.stdout, re.M)
    if missing:
        raise SystemExit(f'{path} needs {", ".join(missing)}, which is not to be found')
    named = re.findall(r'^\s*(\S+) => (/\S+)', answer.stdout, re.M)
    loader = re.findall(r'^\s*(/\S+) \(0x', answer.stdout, re.M)
    return named + [(name, name) for name in loader]


def add_program(archive, name, source):
    """A file, with the shared libraries it needs if it is a program."""
    archive.file(name, source)
    for asked, library in libraries(source):
        target = asked.lstrip('/') if asked.startswith('/') else f'{LIBRARY_DIRECTORY}/{asked}'
        if target not in archive.names:
            archive.file(target, os.path.realpath(library))


def add_busybox(archive, init):
    if not os.path.exists(BUSYBOX):
        raise SystemExit(f'{BUSYBOX} is missing: run scripts/deps run')
    archive.file('bin/busybox', BUSYBOX)
    archive.directory('proc')
    archive.directory('sys')
    archive.directory('tmp')
    archive.node('dev/console', 5, 1)
    archive.data('init', init.encode(), 0o755)


def guest_image(modules=(), programs=()):
    """What is booted as a guest, with kernel modules to load (efivarfs.ko is by itself where there is UEFI), and
    programs, as (name in /bin, file)."""
    archive = Archive()
    add_busybox(archive, GUEST_INIT)
    for module in modules:
        archive.file(f'modules/{os.path.basename(module)}', module)
    for name, source in programs:
        add_program(archive, f'bin/{name}', source)
    return archive.bytes()


def main():
    parser = argparse.ArgumentParser(description='Make the initramfs that demonstrations and tests boot as a guest.')
    parser.add_argument('output')
    options = parser.parse_args()
    image = guest_image()
    temporary = options.output + '.part'
    with open(temporary, 'wb') as stream:
        stream.write(image)
    os.replace(temporary, options.output)


if __name__ == '__main__':
    sys.exit(main())
