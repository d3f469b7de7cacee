// SPDX-License-Identifier: BSD-2-Clause-Patent
//
// Starts a VMM, waits for a line of its guest's, and tells what it took to come there:
//   bench-boot NAME LINE COMMAND...
// Instructions are those of the time-stamp counter, under QEMU's -icount; exits are KVM's own
// count, of all VMs there are (debugfs must be mounted); private memory is what the VMM has dirtied
// beyond guest RAM.
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXITS "/sys/kernel/debug/kvm/exits"

/* A mapping this large is guest RAM, or part of it. */
#define GUEST_RAM_LEAST (UINT64_C(64) << 20)

static uint64_t kvm_exits(void)
{
	uint64_t exits = 0;
	FILE *file = fopen(EXITS, "r");
	if (!file || fscanf(file, "%" SCNu64, &exits) != 1)
		fprintf(stderr, "no %s\n", EXITS);
	if (file)
		fclose(file);
	return exits;
}

/*
 * Private dirty KiB of all mappings but guest RAM. Pages of files are not counted: in a first-level
 * Linux that lives in RAM those of every file are dirty, whoever has them mapped.
 */
static uint64_t private_dirty(pid_t pid)
{
	char path[64], line[512];
	uint64_t sum = 0, begin, end, dirty = 0, anonymous;
	int ram = 0;
	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	FILE *file = fopen(path, "r");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &begin, &end) == 2)
			ram = end - begin >= GUEST_RAM_LEAST;
		else if (sscanf(line, "Private_Dirty: %" SCNu64, &dirty) != 1 && !ram &&
			 sscanf(line, "Anonymous: %" SCNu64, &anonymous) == 1)
			sum += anonymous < dirty ? anonymous : dirty;
	}
	fclose(file);
	return sum;
}

static pid_t start(char **command, int *output)
{
	int ends[2];
	if (pipe(ends))
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	close(ends[1]);
	*output = ends[0];
	return pid;
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fputs("usage: bench-boot NAME LINE COMMAND...\n", stderr);
		return 2;
	}
	int output;
	uint64_t before = __builtin_ia32_rdtsc();
	pid_t pid = start(argv + 3, &output);
	if (pid < 0)
		return EXIT_FAILURE;
	FILE *lines = fdopen(output, "r");
	char line[1024];
	int found = 0;
	while (!found && lines && fgets(line, sizeof(line), lines))
		found = strstr(line, argv[2]) != NULL;
	uint64_t instructions = __builtin_ia32_rdtsc() - before;
	if (found) {
		/* Reading debugfs costs exits of nobody's, but the guest runs on: stop it first. */
		kill(pid, SIGSTOP);
		printf("%s boot, instructions: %.3f G\n", argv[1], (double)instructions / 1e9);
		printf("%s boot, exits: %" PRIu64 "\n", argv[1], kvm_exits());
		printf("%s boot, private dirty memory beyond guest RAM: %" PRIu64 " KiB\n", argv[1],
		       private_dirty(pid));
	} else {
		printf("%s boot: the line never came\n", argv[1]);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return found ? EXIT_SUCCESS : EXIT_FAILURE;
}
