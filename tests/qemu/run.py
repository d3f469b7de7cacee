#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Runs commands in a first-level Linux with KVM, inside an emulator that needs no hardware for it.

    run.py --machine kvm-amd --file build/x --file y -- ./x y      one command: its output and status
    run.py --machine bare -- IMAGE WORD...                         an image that owns the machine
    run.py --cases FILE --build DIR                                several in one boot, as TAP

The first-level Linux is Debian's cloud kernel (scripts/fetch-kernel) with an initramfs made here: busybox,
the modules of KVM, the files asked for with the shared libraries they need, all in /work.
ttyS0 is the console of its kernel; what the commands print goes through ttyS1.

Exit status: that of the command; 99 when the outer machine failed and not what runs in it; 124 when
the time was up; 77 (meson's "skipped") when something needed is not installed; 2 for a wrong call.
"""
import argparse
import configparser
import os
import re
import secrets
import shlex
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, 'scripts'))
import initramfs  # noqa: E402
from machines import MACHINES  # noqa: E402

CACHE = os.environ.get('LIBVMM_CACHE', os.path.join(SOURCE, '.cache'))
KERNEL = os.path.join(CACHE, 'kernel')

# What cases call by $name: what Linux says of a machine that is not as it should be, and what --set changes.
COMPLAINTS = 'ACPI (BIOS )?(Error|Warning)|Firmware (Bug|Warn)|BUG:|WARNING:'
SETTINGS = {'exits': '2', 'seed': '1', 'seconds': '3', 'limit': '180', 'window': r'\d+'}

GUEST_MODULES = ['efivarfs', 'efi-pstore']  # of guest.img

STATUS_SKIPPED = 77
STATUS_OUTER = 99
STATUS_TIME = 124

INIT = '''#!/bin/busybox sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
/bin/busybox mkdir -p /sys /proc /tmp /root /sbin /usr/bin /usr/sbin /work
/bin/busybox --install -s
export PATH=/work:/bin:/sbin:/usr/bin:/usr/sbin HOME=/root TERM=${TERM:-linux}
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /dev/pts
mount -t tmpfs shm /dev/shm
mount -t devpts pts /dev/pts
echo 1 >/proc/sys/vm/overcommit_memory
ip link set lo up
for module in $(cat /modules/order); do
	insmod /modules/$module.ko || echo "@@ module $module"
done
stty -F /dev/ttyS1 raw -echo
cd /work
. /commands
sync
# Waits until all has been sent; Bochs' second serial port takes its time.
stty -F /dev/ttyS1 raw -echo
poweroff -f
'''


class Outer(Exception):
    """The outer machine failed, and not what runs in it."""


class TimeUp(Exception):
    pass


class Missing(Exception):
    """Something needed is not installed."""


class Command:
    """One command to run, and afterwards what came of it."""

    def __init__(self, name, shell, limit):
        self.name = name
        self.shell = shell
        self.limit = limit
        self.output = b''
        self.status = None
        self.seconds = None
        self.stuck = None  # what its dialogue waits for


def commands_script(commands, token, interactive):
    """What the first-level init does. The marks have a token in them that no output can have by chance."""
    # Held open: where the last one closes a serial port, and it is slow, what its FIFO still has is lost.
    lines = ['exec 9>/dev/ttyS1']
    marks = '/dev/ttyS0' if interactive else '/dev/ttyS1'
    for number, command in enumerate(commands):
        shell = shlex.quote(command.shell)
        # A controlling terminal for an interactive command, a time limit of its own for any other.
        run = f'setsid -c sh -c {shell} </dev/ttyS1' if interactive else f'timeout -s KILL {command.limit} sh -c {shell} </dev/null'
        lines += [f"echo '@@{token} begin {number}' >{marks}",
                  f'{run} >/dev/ttyS1 2>&1',
                  'status=$?',
                  f"printf '\\n@@{token} end {number} %d\\n' $status >{marks}"]
    return '\n'.join(lines) + '\n'


def outer_initramfs(machine, files, guest, script):
    archive = initramfs.Archive()
    initramfs.add_busybox(archive, INIT)
    for module in machine['modules']:
        archive.file(f'modules/{module}.ko', os.path.join(KERNEL, 'modules', module + '.ko'))
    archive.data('modules/order', '\n'.join(machine['modules']).encode())
    archive.data('commands', script.encode())
    archive.directory('work')
    for name, source in files:
        if os.path.isdir(source):
            for folder, _, entries in os.walk(source):
                for entry in entries:
                    path = os.path.join(folder, entry)
                    initramfs.add_program(archive, f'work/{name}/{os.path.relpath(path, source)}', path)
        else:
            initramfs.add_program(archive, f'work/{name}', source)
    if guest:
        archive.file('work/vmlinuz', os.path.join(KERNEL, 'vmlinuz'))
        archive.data('work/guest.img', initramfs.guest_image([os.path.join(KERNEL, 'modules', name + '.ko') for name in GUEST_MODULES]))
    return archive.bytes()


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Missing(f'{program} is not installed: run scripts/deps test')


def qemu_command(machine, folder, interactive):
    need('qemu-system-x86_64')
    commands = ['-chardev', 'stdio,id=commands,signal=off', '-serial', 'chardev:commands'] if interactive else \
        ['-serial', f'file:{folder}/commands.log']
    return ['qemu-system-x86_64', *machine['arguments'], '-smp', str(machine['cpus']), '-m', str(machine['memory']),
            '-no-user-config', '-nodefaults', '-display', 'none', '-no-reboot',
            '-serial', f'file:{folder}/console.log', *commands,
            '-kernel', os.path.join(KERNEL, 'vmlinuz'), '-initrd', f'{folder}/initramfs',
            '-append', f'console=ttyS0 {machine["kernel"]}']


# Names are relative to the folder it runs in: long ones overrun its buffers.
BOCHS_CONFIGURATION = '''
config_interface: textconfig
display_library: rfb, options="timeout=0"
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios-stdvga.bin
megs: {memory}
ata0-master: type=cdrom, path=disc.iso, status=inserted
boot: cdrom
clock: sync=none
sound: driver=dummy
speaker: enabled=0
com1: enabled=1, mode=file, dev=console.log
com2: enabled=1, mode=file, dev=commands.log
log: bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
{arguments}
'''


def make_disc(folder, files, lines, modules):
    """A CD that GRUB boots from: files by their names in its /boot, and what GRUB is to do."""
    need('grub-mkrescue', 'xorriso')
    disc = f'{folder}/disc'
    os.makedirs(f'{disc}/boot/grub')
    for name, source in files.items():
        shutil.copy(source, f'{disc}/boot/{name}')
    with open(f'{disc}/boot/grub/grub.cfg', 'w') as stream:
        stream.write('\n'.join(['serial --unit=0 --speed=115200', 'terminal_output serial', *lines, 'boot', '']))
    made = subprocess.run(['grub-mkrescue', '--output', f'{folder}/disc.iso', '--fonts=', '--themes=', '--locales=',
                           f'--install-modules={modules} normal iso9660 biosdisk serial terminal', disc],
                          capture_output=True, text=True)
    shutil.rmtree(disc)
    if made.returncode != 0:
        raise Outer(f'grub-mkrescue: {made.stderr}')


def bochs_line(folder, memory, cpus, arguments):
    need('bochs')
    with open(f'{folder}/bochsrc', 'w') as stream:
        stream.write(BOCHS_CONFIGURATION.format(memory=memory, arguments='\n'.join(arguments).format(cpus=cpus)))
    with open(f'{folder}/debugger', 'w') as stream:  # Debian's build stops in its debugger first
        stream.write('continue\n')
    return ['bochs', '-q', '-f', 'bochsrc', '-rc', 'debugger']


def bochs_command(machine, folder, interactive):
    """Bochs boots from a disc only: GRUB, the kernel and the initramfs on a CD."""
    if interactive:
        raise SystemExit('the terminal is for machines of QEMU only')
    make_disc(folder, {'vmlinuz': os.path.join(KERNEL, 'vmlinuz'), 'initramfs': f'{folder}/initramfs'},
              [f'linux /boot/vmlinuz console=ttyS0 {machine["kernel"]}', 'initrd /boot/initramfs'], 'linux')
    return bochs_line(folder, machine['memory'], machine['cpus'], machine['arguments'])


EMULATORS = {'qemu': qemu_command, 'bochs': bochs_command}


GUEST_PROFILE = '[boot]\nkernel = vmlinuz\ninitrd = guest.img\n'


def need_kernel():
    if not os.path.exists(os.path.join(KERNEL, 'complete')):
        raise Missing(f'no kernel in {KERNEL}: run scripts/fetch-kernel')


def vm_archive(path, case):
    """Machines for examples/bare: profiles, other files, and, if a profile asks for it, Debian's kernel with the
    initramfs of the tests. False where the case has none."""
    texts = {key: text for key, text in case.items() if re.fullmatch(r'(.+\.)?profile|commands', key)}
    if not texts:
        return False
    archive = initramfs.Archive()
    for name, text in texts.items():
        archive.data(name, text.encode())
    for name, source in map(parse_file, case.get('files', '').split()):
        archive.file(name, source)
    if any('vmlinuz' in text for text in texts.values()):
        need_kernel()
        archive.file('vmlinuz', os.path.join(KERNEL, 'vmlinuz'))
        programs = [parse_file(text) for text in case.get('programs', '').split()]
        archive.data('guest.img', initramfs.guest_image(programs=programs))
    with open(path, 'wb') as stream:
        stream.write(archive.bytes())
    return True


def image_command(machine, case, image, words, folder):
    """The emulator's command line for an image, its console in console.log."""
    modules = case.get('modules', '').strip().splitlines()
    if vm_archive(f'{folder}/vm.cpio', case):
        modules = [f'{folder}/vm.cpio']
    memory = case.get('memory', str(machine['memory']))
    if machine['boot'] == 'grub':  # Multiboot 2, from a CD
        files = {'image': image, **{f'module{number}': source for number, source in enumerate(modules)}}
        make_disc(folder, files, [f'multiboot2 /boot/image {shlex.join(words)}'] +
                  [f'module2 /boot/module{number} {os.path.basename(source)}' for number, source in enumerate(modules)], 'multiboot2')
    if machine['emulator'] == 'bochs':
        return bochs_line(folder, memory, case.get('cpus', '1'), machine['arguments'])
    need('qemu-system-x86_64')
    line = ['qemu-system-x86_64', *machine['arguments'], '-cpu', case.get('cpu', machine.get('cpu', 'max')), '-smp', case.get('cpus', '1'),
            '-m', memory, '-no-user-config', '-nodefaults', '-display', 'none', '-no-reboot',
            '-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4']
    if machine['boot'] == 'grub':
        return line + ['-cdrom', f'{folder}/disc.iso']
    return line + ['-kernel', image, '-append', shlex.join(words)] + (['-initrd', modules[0]] if modules else [])


IMAGE_END = re.compile(rb'^bare: ended with status (\d+)\r?$', re.M)


class Dialogue:
    """What is typed at the console of an image: lines "< pattern", which wait for it behind what was found before,
    and "> text", which send it and a carriage return; "N> text" does so N times. \\xNN is a byte, and a backslash at the
    end of a text leaves the carriage return out."""

    STEP = re.compile(r'(<|\d*>) ?(.*)')

    def __init__(self, text, keyboard):
        self.steps = [self.STEP.fullmatch(line).groups() for line in text.strip().splitlines()]
        self.keyboard = keyboard
        self.at = 0

    def go_on(self, output):
        """As far as the output allows; gives the pattern it waits for, or None at its end."""
        output = output.replace(b'\r', b'')
        while self.steps:
            kind, text = self.steps[0]
            if kind == '<':
                found = re.compile(text.encode(), re.M).search(output, self.at)
                if not found:
                    return text
                self.at = found.end()
            else:
                line = text[:-1] if text.endswith('\\') else text + '\r'
                line = re.sub(r'\\x([0-9a-f]{2})', lambda byte: chr(int(byte[1], 16)), line)
                self.keyboard.write(line.encode() * int(kind[:-1] or 1))
                self.keyboard.flush()
            del self.steps[0]
        return None


def wait_image(process, console, end, command, dialogue):
    """The emulator's status; None when it had to be stopped: when the time is up, or the image's end has not ended it."""
    told = None
    ended = False
    with open(console, 'rb') as stream:
        while not ended:
            ended = process.poll() is not None
            command.output += stream.read()
            command.stuck = dialogue.go_on(command.output)
            now = time.monotonic()
            if told is None and IMAGE_END.search(command.output):
                told = now
            if now > end or told is not None and now > told + 3:
                process.kill()
                process.wait()
                return None
            time.sleep(0 if ended else 0.05)
    return process.returncode


def run_image(machine, command, case, folder):
    """Starts an image that owns the machine. Its output is the serial console's, its status what it tells there, or
    0 when the machine went off without a word."""
    image, *words = shlex.split(command.shell)
    image = os.path.abspath(image)
    if not os.path.exists(image):
        raise Missing(f'{image} is not there: build it first')
    line = image_command(machine, case, image, words, folder)
    with open(f'{folder}/command', 'w') as stream:
        stream.write(shlex.join(line) + '\n')
    open(f'{folder}/console.log', 'wb').close()
    start = time.monotonic()
    with open(f'{folder}/emulator.log', 'wb') as errors, open(f'{folder}/console.log', 'ab') as console:
        process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=errors if machine['emulator'] == 'bochs' else console, stderr=errors, cwd=folder)
    dialogue = Dialogue(case.get('dialogue', ''), process.stdin)
    status = wait_image(process, f'{folder}/console.log', start + command.limit, command, dialogue)
    process.stdin.close()
    command.seconds = time.monotonic() - start
    ended = IMAGE_END.search(command.output)
    if status is not None and status != 0 and not ended:
        raise Outer(f'the emulator itself died, and not what runs in it: {log_tail(f"{folder}/emulator.log", 5)}')
    command.status = int(ended[1]) if ended else 137 if status is None else 0


class Reader:
    """Cuts what comes through ttyS1 into the outputs of the commands."""

    def __init__(self, commands, token, echo):
        self.commands = commands
        self.mark = re.compile(b'(?:^|\r?\n)@@' + token.encode() + rb' (begin|end) (\d+)(?: (\d+))?\r?\n')
        self.echo = echo
        self.pending = b''
        self.current = None
        self.started = 0.0

    def feed(self, data):
        self.pending += data
        while True:
            found = self.mark.search(self.pending)
            # What may yet turn out to be the beginning of a mark is kept back.
            end = found.start() if found else max(self.pending.rfind(b'\n'), 0)
            if end and self.current:
                self._output(self.pending[:end])
                self.pending = self.pending[end:]
            if not found:
                return
            self.pending = self.pending[found.end() - found.start() if end and self.current else found.end():]
            self._marked(found)

    def _output(self, data):
        self.current.output += data
        if self.echo:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def _marked(self, found):
        command = self.commands[int(found[2])]
        if found[1] == b'begin':
            self.current = command
            self.started = time.monotonic()
        else:
            command.status = int(found[3])
            command.seconds = time.monotonic() - self.started
            self.current = None

    def begun(self):
        return self.current or self.commands[0].status is not None

    def end(self):
        if self.current and self.pending:
            self._output(self.pending)


def watch(process, reader, path, limits):
    """Reads what comes through ttyS1 until the emulator ends; TimeUp when it does not in time."""
    boot, total = limits
    start = time.monotonic()
    done = None
    with open(path, 'a+b') as stream:
        stream.seek(0)
        while True:
            ended = process.poll() is not None
            data = stream.read()
            reader.feed(data)
            if ended and not data:
                break
            now = time.monotonic()
            if reader.commands[-1].status is not None:
                # All is known: a machine that does not power off is stopped.
                done = done or now
                if now - done > 5:
                    break
            elif now - start > (total if reader.begun() else boot):
                raise TimeUp('the commands took too long' if reader.begun() else 'the first-level Linux did not come up in time')
            if not data:
                time.sleep(0.02)
    reader.end()


def log_tail(path, lines=25):
    try:
        with open(path, 'rb') as stream:
            return b'\n'.join(stream.read().splitlines()[-lines:]).decode(errors='replace')
    except OSError:
        return ''


def explain_end(status, folder):
    """Raises Outer with the reason why the machine ended before its commands did."""
    said = log_tail(f'{folder}/emulator.log', 5)
    console = log_tail(f'{folder}/console.log')
    if status < 0 or 'Assertion' in said:
        name = signal.Signals(-status).name if status < 0 else f'status {status}'
        raise Outer(f'the emulator itself died ({name}), not what runs in it: {said}')
    if 'Kernel panic' in console or 'Oops' in console:
        raise Outer(f'the first-level Linux died:\n{console}')
    raise Outer(f'the machine ended (status {status}) before its commands did: {said}\n{console}')


def run_once(machine, files, guest, commands, folder, interactive, echo):
    token = secrets.token_hex(4)
    with open(f'{folder}/initramfs', 'wb') as stream:
        stream.write(outer_initramfs(machine, files, guest, commands_script(commands, token, interactive)))
    command = EMULATORS[machine['emulator']](machine, folder, interactive)
    with open(f'{folder}/command', 'w') as stream:
        stream.write(shlex.join(command) + '\n')
    reader = Reader(commands, token, echo)
    with open(f'{folder}/emulator.log', 'wb') as errors:
        if interactive:
            status = subprocess.call(command, stderr=errors)
            with open(f'{folder}/console.log', 'rb') as console:
                reader.feed(console.read())
        else:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, cwd=folder)
            limits = (machine['boot'], machine['boot'] + sum(command.limit for command in commands))
            try:
                watch(process, reader, f'{folder}/commands.log', limits)
            finally:
                process.kill()
                status = process.wait()
    if commands[-1].status is None:
        explain_end(status, folder)


class Logs:
    """A folder for one run's logs: removed when all went well, told of when not."""

    def __init__(self, name, keep):
        os.makedirs(os.path.join(CACHE, 'logs'), exist_ok=True)
        self.folder = tempfile.mkdtemp(prefix=f'{name}-', dir=os.path.join(CACHE, 'logs'))
        self.keep = keep

    def close(self, failed):
        for folder, _, names in os.walk(self.folder):
            for name in {'initramfs', 'disc.iso', 'vm.cpio'}.intersection(names):  # large, and made again from the command line
                os.unlink(f'{folder}/{name}')
        if failed or self.keep:
            print(f'# logs: {self.folder}', file=sys.stderr)
        else:
            shutil.rmtree(self.folder)


def run(machine, files, guest, commands, folder, interactive=False, echo=False):
    """Runs the commands in one boot. An emulator that dies is started again once: it is not what is tested."""
    need_kernel()
    try:
        run_once(machine, files, guest, commands, folder, interactive, echo)
    except Outer as reason:
        if interactive:
            raise
        print(f'# {reason}\n# once more', file=sys.stderr)
        for command in commands:
            command.status, command.output = None, b''
        run_once(machine, files, guest, commands, folder, interactive, echo)


def parse_file(text):
    source, _, name = text.partition('=')
    if not os.path.exists(source):
        raise Missing(f'{source} is not there: build it first')
    return name or os.path.basename(os.path.normpath(source)), source


def check(case, command):
    """Why the case failed, or None."""
    text = command.output.decode(errors='replace').replace('\r\n', '\n')
    wanted = int(case.get('status', '0'))
    if command.stuck:
        return f'its dialogue waits for {command.stuck!r}'
    if command.status is None:
        return 'it was not run to its end'
    if command.status != wanted:
        ended = f'its time limit of {command.limit} s' if command.status == 137 else f'status {command.status}'
        return f'ended with {ended}, not status {wanted}'
    for pattern in case.get('expect', '').strip().splitlines():
        if not re.search(pattern, text, re.M):
            return f'no line matches {pattern!r}'
    for pattern in case.get('forbid', '').strip().splitlines():
        found = re.search(pattern, text, re.M)
        if found:
            return f'{pattern!r} matches {found[0]!r}'
    return None


SAVED = re.compile(rb'^@save ([0-9a-fz]+)\r?\n', re.M)
ZEROS = re.compile(rb'z(..)')


def take_saved(commands, path):
    """What the commands have told of machines' states (tests/guest/move.h) goes into a file, one after the other."""
    with open(path, 'wb') as stream:
        for command in commands:
            text = ZEROS.sub(lambda run: b'00' * int(run[1], 16), b''.join(SAVED.findall(command.output)))
            stream.write(bytes.fromhex(text.decode()))
            command.output = SAVED.sub(b'', command.output)


def play_file(path, names, options, folder):
    """Runs the cases of a file, after those of the one it goes on from; pairs of case and command, and what stopped them."""
    parser = configparser.ConfigParser(interpolation=None, delimiters=('=',))
    with open(path) as stream:
        parser.read_string(string.Template(stream.read()).safe_substitute(names))
    head = parser['machine']
    done, stopped = [], None
    if 'after' in head:
        os.mkdir(f'{folder}/before')
        done, stopped = play_file(os.path.join(os.path.dirname(path), head['after']), names, options, f'{folder}/before')
        take_saved([command for _, command in done], names['saved'])
    machine = dict(MACHINES[head['name']])
    for key in ('cpus', 'memory'):
        if key in head:
            machine[key] = head.getint(key)
    files = [parse_file(line.strip()) for line in head.get('files', '').strip().splitlines()]
    cases = [section for section in parser.sections() if section != 'machine' and (not options.only or section in options.only)]
    commands = [Command(name, parser[name]['run'], parser[name].getint('limit', 60)) for name in cases]
    done += [(parser[command.name], command) for command in commands]
    try:
        if stopped:
            pass
        elif 'modules' not in machine:
            for command in commands:
                run_image(machine, command, parser[command.name], folder)
        else:
            run(machine, files, head.getboolean('guest', False), commands, folder)
    except (Outer, TimeUp) as reason:
        stopped = reason
    return done, stopped


def run_cases(options):
    """The cases of one file in one boot, as TAP. Its keys are told in docs/testing.md."""
    logs = Logs(os.path.splitext(os.path.basename(options.cases))[0], options.keep)
    names = {'build': os.path.abspath(options.build), 'source': SOURCE, 'kernel': KERNEL, 'saved': f'{logs.folder}/saved',
             'complaints': COMPLAINTS, **SETTINGS}
    names.update(word.split('=', 1) for word in options.set)
    if names['seed'] == 'random':
        names['seed'] = str(secrets.randbelow(1 << 31))
    open(names['saved'], 'wb').close()
    try:
        done, stopped = play_file(options.cases, names, options, logs.folder)
    except Missing:
        logs.close(False)
        raise
    print(f'# seed {names["seed"]}\n1..{len(done)}')
    failed = False
    for number, (case, command) in enumerate(done, 1):
        why = check(case, command)
        failed = failed or bool(why)
        took = f' # {command.seconds:.1f} s' if command.seconds is not None else ''
        print(f'{"not ok" if why else "ok"} {number} - {command.name}{took}')
        if why:
            print(f'# {why}')
            for line in command.output.decode(errors='replace').splitlines()[-40:]:
                print(f'# | {line}')
    if stopped:
        print('\n'.join(f'# {line}' for line in str(stopped).splitlines()))
    logs.close(failed)
    return STATUS_OUTER if isinstance(stopped, Outer) else 0


def run_command(options):
    machine = dict(MACHINES[options.machine])
    machine['cpus'] = options.cpus or machine.get('cpus', 1)
    machine['memory'] = options.memory or machine['memory']
    command = Command('command', shlex.join(options.command), options.time)
    files = [parse_file(text) for text in options.file]
    logs = Logs(options.machine, options.keep)
    status = STATUS_OUTER
    try:
        if 'modules' in machine:
            run(machine, files, options.guest, [command], logs.folder, options.interactive, echo=True)
        else:
            case = {'cpus': str(machine['cpus'])}
            if options.guest:
                case['profile'] = GUEST_PROFILE
            run_image(machine, command, case, logs.folder)
            sys.stdout.buffer.write(command.output)
        status = command.status
    except Outer as reason:
        print(f'run.py: {reason}', file=sys.stderr)
    except TimeUp as reason:
        print(f'run.py: {reason}', file=sys.stderr)
        status = STATUS_TIME
    finally:
        logs.close(status != 0)
    return status


def main():
    parser = argparse.ArgumentParser(description='Run commands in a first-level Linux with KVM inside an emulator.')
    parser.add_argument('--machine', choices=sorted(MACHINES), default='kvm-amd')
    parser.add_argument('--file', action='append', default=[], metavar='PATH[=NAME]', help='put into /work, with the shared libraries it needs')
    parser.add_argument('--guest', action='store_true', help="put Debian's vmlinuz and guest.img into /work")
    parser.add_argument('--cpus', type=int, help='of the outer machine')
    parser.add_argument('--memory', type=int, help='of the outer machine, MiB')
    parser.add_argument('--time', type=int, default=120, help='limit of the command, seconds (120)')
    parser.add_argument('--interactive', action='store_true', help='give the command this terminal; no time limit')
    parser.add_argument('--keep', action='store_true', help='keep the logs of a run that went well')
    parser.add_argument('--cases', metavar='FILE', help='run the cases of this file in one boot, print TAP')
    parser.add_argument('--only', action='append', metavar='CASE', help='of the cases, only these')
    parser.add_argument('--set', action='append', default=[], metavar='NAME=VALUE', help='what $NAME stands for in the cases')
    parser.add_argument('--build', default=os.path.join(SOURCE, 'build'), help='build directory the cases take their files from')
    parser.add_argument('command', nargs='*', metavar='COMMAND')
    options = parser.parse_args()
    if bool(options.cases) == bool(options.command):
        parser.error('give either --cases or a command')
    try:
        return run_cases(options) if options.cases else run_command(options)
    except Missing as reason:
        if options.cases:
            print(f'1..0 # SKIP {reason}')
            return 0
        print(f'run.py: {reason}', file=sys.stderr)
        return STATUS_SKIPPED


if __name__ == '__main__':
    sys.exit(main())
