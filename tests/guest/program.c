// SPDX-License-Identifier: BSD-2-Clause-Patent
// The program that runs the guests on Linux, and what they take from it.
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "libvmm/linux.h"
#include "libvmm/sim.h"
#include "move.h"
#include "platform.h"
#include "together.h"

#define STATUS_SKIPPED 77
#define TIME_LIMIT     120 /* seconds a test may take; under emulation all is slow */
#define ROUNDS         300

struct options {
	const char *engine;
	const char *expect;
	bool update;
	bool show;
	const char *except;
	unsigned time;
	uint32_t rounds;
	bool together;
	struct move_plan plan; /* how MOVE_NEVER: nothing moves */
};

/* --- the platform --- */

uint32_t platform_has(void)
{
	return NEEDS_THREADS | NEEDS_EVENTS;
}

static struct run *alarmed;
static volatile sig_atomic_t late;
static unsigned seconds;

static void on_alarm(int number)
{
	(void)number;
	late = 1;
	for (uint32_t i = 0; i < MAX_CPUS; i++)
		if (alarmed->cpu[i].vcpu)
			vmm_vcpu_kick(alarmed->cpu[i].vcpu);
	alarm(1); /* in case it came between two runs whose KICKED the script took for its own */
}

void limit_begin(struct run *run)
{
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	alarmed = run;
	sigaction(SIGALRM, &action, NULL);
	alarm(seconds);
}

void limit_end(void)
{
	alarm(0);
}

bool limit_reached(void)
{
	return late != 0;
}

bool task_start(struct task *task, void *(*work)(void *), void *argument)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, work, argument))
		return false;
	task->thread = (uint64_t)thread;
	return true;
}

void *task_join(struct task *task)
{
	void *result = NULL;
	pthread_join((pthread_t)task->thread, &result);
	return result;
}

void nap_us(uint32_t us)
{
	usleep(us);
}

uint64_t event_make(void)
{
	return (uint64_t)eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void event_ring(uint64_t event)
{
	eventfd_write((int)event, 1);
}

uint64_t event_count(uint64_t event)
{
	eventfd_t rings = 0;
	return eventfd_read((int)event, &rings) ? 0 : rings;
}

void event_close(uint64_t event)
{
	close((int)event);
}

static int64_t open_files(void)
{
	int64_t count = 0;
	DIR *directory = opendir("/proc/self/fd");
	while (directory && readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* Pages of address space, and of them in memory and the process's own. */
void usage_get(struct usage *usage)
{
	long size = 0, resident = 0, shared = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (!file || fscanf(file, "%ld %ld %ld", &size, &resident, &shared) != 3)
		size = -1;
	fclose(file);
	*usage = (struct usage){open_files(), size, resident - shared};
}

void tell_line(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

/* --- the program --- */

#define LICENCE "# SPDX-License-Identifier: BSD-2-Clause-Patent\n"

/* An expected trace, without its first line. */
static const char *read_expected(const char *path)
{
	FILE *file = fopen(path, "r");
	if (!file)
		return NULL;
	static _Thread_local char text[65536];
	size_t len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	return strncmp(text, LICENCE, strlen(LICENCE)) ? text : text + strlen(LICENCE);
}

/* Prints where two texts part. */
static void print_difference(const char *want, const char *have)
{
	size_t line = 1;
	while (*want && *want == *have) {
		line += *want == '\n';
		want++;
		have++;
	}
	printf("# they part in line %zu\n", line);
}

static void print_indented(const char *title, const char *text)
{
	printf("# %s:\n", title);
	while (*text) {
		size_t len = strcspn(text, "\n");
		printf("#   %.*s\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static int compare(const char *directory, const char *name, const char *trace, bool update)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (update) {
		FILE *file = fopen(path, "w");
		if (!file || fputs(LICENCE, file) < 0 || fputs(trace, file) < 0 || fclose(file)) {
			fprintf(stderr, "%s: %s\n", path, strerror(errno));
			return 1;
		}
		return 0;
	}
	const char *want = read_expected(path);
	if (want && !strcmp(want, trace))
		return 0;
	if (want) {
		print_difference(want, trace);
		print_indented("expected", want);
	} else {
		printf("# %s: %s\n", path, strerror(errno));
	}
	print_indented("seen", trace);
	return 1;
}

/* 0 passed, 1 failed, STATUS_SKIPPED. */
static int one(struct vmm_ctx *ctx, const struct options *options, const struct test *test)
{
	bool skipped;
	char *trace = run_test(ctx, options->engine, test, options->rounds, NULL, &skipped);
	if (skipped)
		return STATUS_SKIPPED;
	int status = 0;
	if (options->show)
		fputs(trace ? trace : "", stdout);
	else
		status = compare(options->expect, test->name, trace ? trace : "", options->update);
	free(trace);
	return status;
}

/* In a process of its own: one that crashes or hangs takes only itself with it. */
static int one_apart(struct vmm_ctx *ctx, const struct options *options, const struct test *test)
{
	fflush(stdout);
	pid_t child = fork();
	if (child < 0)
		return 1;
	if (child == 0) {
		int status = one(ctx, options, test);
		fflush(stdout);
		_exit(status);
	}
	int status;
	for (unsigned waited = 0; waitpid(child, &status, WNOHANG) == 0; waited++) {
		if (waited == 100 * (options->time + 10))
			kill(child, SIGKILL);
		usleep(10000);
	}
	if (WIFSIGNALED(status))
		printf("# ended by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Whether the engine runs guests here; says why not. */
static bool usable(struct vmm_ctx *ctx, const char *engine)
{
	if (!strcmp(engine, "sim")) {
		printf("1..0 # SKIP sim executes no instructions\n");
		return false;
	}
	int rc = !strcmp(engine, "kvm") ? vmm_linux_kvm_probe(ctx, 10000)
					: vmm_ctx_engine_probe(ctx, engine);
	if (rc == 0)
		return true;
	struct vmm_error error = {.size = sizeof(error)};
	vmm_ctx_error(ctx, &error);
	printf("1..0 # SKIP %s: %s: %s\n", engine, vmm_errname(rc), error.text);
	return false;
}

static int run_all(struct vmm_ctx *ctx, const struct options *options, char **names, int count)
{
	size_t number = 0;
	int failed = 0;
	printf("1..%zu\n", count ? (size_t)count : test_count);
	for (size_t i = 0; count ? i < (size_t)count : i < test_count; i++) {
		const struct test *test = count ? find_test(names[i]) : &tests[i];
		int status = test ? STATUS_SKIPPED : 1;
		if (test && (!options->except || strcmp(options->except, test->name)))
			status = one_apart(ctx, options, test);
		printf("%s %zu - %s%s\n", status == 0 || status == STATUS_SKIPPED ? "ok" : "not ok",
		       ++number, count ? names[i] : test->name,
		       status == STATUS_SKIPPED ? " # SKIP" : "");
		failed += status != 0 && status != STATUS_SKIPPED;
	}
	return failed ? 1 : 0;
}

/* --- moves --- */

static const struct options *the_options;
static char **the_names; /* ends with NULL; none: all */

static bool is_chosen(const struct test *test)
{
	if (the_options->except && !strcmp(the_options->except, test->name))
		return false;
	for (char **name = the_names; *name; name++)
		if (!strcmp(*name, test->name))
			return true;
	return !*the_names;
}

static bool is_expected(const struct test *test, const char *trace)
{
	return compare(the_options->expect, test->name, trace, false) == 0;
}

static void *read_whole(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	long size = -1;
	if (file && fseek(file, 0, SEEK_END) == 0)
		size = ftell(file);
	char *data = size < 0 ? NULL : malloc((size_t)size + 1);
	rewind(file);
	*len = data ? fread(data, 1, (size_t)size, file) : 0;
	if (file)
		fclose(file);
	return data;
}

static int run_moves(struct vmm_ctx *ctx, struct options *options, char **names)
{
	struct move_plan *plan = &options->plan;
	void *files = NULL;
	the_options = options;
	the_names = plan->how == MOVE_IN ? names + 1 : names; /* behind the file */
	plan->as_expected = is_expected;
	plan->chosen = is_chosen;
	if (plan->how == MOVE_IN) {
		files = read_whole(names[0], &plan->len);
		if (!files) {
			fprintf(stderr, "%s: %s\n", names[0], strerror(errno));
			return 1;
		}
		plan->files = files;
	}
	int failed = move_tests(ctx, options->engine, plan);
	free(files);
	return failed ? 1 : 0;
}

static int run_side_by_side(struct vmm_ctx *ctx, const struct options *options)
{
	the_options = options;
	return run_together(ctx, options->engine, options->rounds, is_expected) ? 1 : 0;
}

static int usage(void)
{
	fputs("usage: guest-run [OPTION...] --all | --list | NAME...\n"
	      "  --engine NAME  the engine to run on (kvm)\n"
	      "  --time N       seconds that a test may take (120)\n"
	      "  --rounds N     of the tests that do a thing many times over (300)\n"
	      "  --except NAME  leave one out that the machine below cannot do\n"
	      "  --expect DIR   compare with the traces there; --update writes them instead\n"
	      "  without --expect the traces are shown\n"
	      "with --expect, and --all or names, moving machines while their guests run:\n"
	      "  --move N       to another machine, at one exit in N\n"
	      "  --save N       tell the machine's state at N exits\n"
	      "  --restore      go on with the states of the file named\n"
	      "  --together     guests of four modes side by side, so many --rounds\n"
	      "  --seed N       for the choice of exits (1)\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct options options = {
		.engine = "kvm",
		.show = true,
		.time = TIME_LIMIT,
		.rounds = ROUNDS,
		.plan = {.how = MOVE_NEVER, .seed = 1, .rate = 1},
	};
	bool all = false;
	int i;
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--engine") && i + 1 < argc) {
			options.engine = argv[++i];
		} else if (!strcmp(argv[i], "--expect") && i + 1 < argc) {
			options.expect = argv[++i];
			options.show = false;
		} else if (!strcmp(argv[i], "--rounds") && i + 1 < argc) {
			options.rounds = (uint32_t)strtoul(argv[++i], NULL, 0);
		} else if (!strcmp(argv[i], "--time") && i + 1 < argc) {
			options.time = (unsigned)strtoul(argv[++i], NULL, 0);
		} else if (!strcmp(argv[i], "--except") && i + 1 < argc) {
			options.except = argv[++i];
		} else if (!strcmp(argv[i], "--move") && i + 1 < argc) {
			options.plan.how = MOVE_HERE;
			options.plan.rate = (uint32_t)strtoul(argv[++i], NULL, 0);
		} else if (!strcmp(argv[i], "--save") && i + 1 < argc) {
			options.plan.how = MOVE_OUT;
			options.plan.count = (uint32_t)strtoul(argv[++i], NULL, 0);
		} else if (!strcmp(argv[i], "--restore")) {
			options.plan.how = MOVE_IN;
		} else if (!strcmp(argv[i], "--together")) {
			options.together = all = true;
		} else if (!strcmp(argv[i], "--seed") && i + 1 < argc) {
			options.plan.seed = strtoul(argv[++i], NULL, 0);
		} else if (!strcmp(argv[i], "--update")) {
			options.update = true;
		} else if (!strcmp(argv[i], "--all")) {
			all = true;
		} else if (!strcmp(argv[i], "--list")) {
			for (size_t t = 0; t < test_count; t++)
				puts(tests[t].name);
			return 0;
		} else {
			return usage();
		}
	}
	if (all == (i < argc) ||
	    ((options.plan.how != MOVE_NEVER || options.together) && !options.expect) ||
	    (options.plan.how == MOVE_HERE && options.plan.rate == 0))
		return usage();
	struct vmm_ctx *ctx;
	struct vmm_error error = {.size = sizeof(error)};
	if (vmm_linux_ctx_create(&ctx, &error)) {
		fprintf(stderr, "%s: %s\n", error.call, error.text);
		return 1;
	}
	seconds = options.time;
	int status;
	if (!usable(ctx, options.engine))
		status = STATUS_SKIPPED;
	else if (options.together)
		status = run_side_by_side(ctx, &options);
	else if (options.plan.how != MOVE_NEVER)
		status = run_moves(ctx, &options, argv + i);
	else
		status = run_all(ctx, &options, argv + i, argc - i);
	vmm_ctx_destroy(ctx);
	return status;
}
