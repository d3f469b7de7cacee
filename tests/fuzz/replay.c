// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Drives a fuzz target without a fuzzer. The same inputs in every run:
 *
 *   fuzz-NAME                  every seed, its cuts, its bytes and words changed, random changes
 *   fuzz-NAME FILE...          these inputs, such as one that a fuzzer has found
 *   fuzz-NAME --seeds FOLDER   write the seeds there, for a fuzzer to start from
 */
#include <string.h>

#include "fuzz.h"

/* Every cut and every byte of the front is tried; further back, as many spread evenly. */
#define CUTS         4096u
#define FRONT        1024u
#define RANDOM_TRIES 4000u

static unsigned long inputs;
static uint64_t random_state = 0x9e3779b97f4a7c15;

/* xorshift64* */
static uint64_t next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1d;
}

static size_t random_below(size_t end)
{
	return (size_t)(next_random() % end);
}

/* A copy of its own, of the exact length, so that a sanitizer sees the first byte too many. */
static void feed(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	FUZZ_CHECK(copy);
	memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
	inputs++;
}

static void feed_cuts(const uint8_t *seed, size_t len)
{
	const size_t step = len > CUTS ? len / CUTS : 1;

	for (size_t cut = 0; cut < len; cut += step)
		feed(seed, cut);
}

static void feed_bytes(uint8_t *seed, size_t len)
{
	for (size_t i = 0; i < len && i < FRONT; i++) {
		const uint8_t old = seed[i];
		const uint8_t values[] = {0, 0xff, (uint8_t)(old ^ 0x80), (uint8_t)(old + 1),
					  (uint8_t)(old - 1)};

		for (size_t v = 0; v < sizeof(values); v++) {
			seed[i] = values[v];
			feed(seed, len);
		}
		seed[i] = old;
	}
}

static const uint64_t interesting[] = {0,           1,
				       0x7f,        0xff,
				       0x1000,      0x7fff,
				       0xffff,      0x100000,
				       0x7fffffff,  0x80000000,
				       0xfffff000,  0xffffffff,
				       0x100000000, 0x10000000000000,
				       INT64_MAX,   UINT64_MAX - 0xfff,
				       UINT64_MAX};

static uint64_t random_value(void)
{
	const size_t count = sizeof(interesting) / sizeof(interesting[0]);

	return next_random() % 4 ? interesting[random_below(count)] : next_random();
}

static void feed_words(uint8_t *seed, size_t len)
{
	for (size_t at = 0; at + 8 <= len && at < FRONT; at += 2) {
		uint8_t old[8];

		memcpy(old, seed + at, 8);
		for (size_t v = 0; v < sizeof(interesting) / sizeof(interesting[0]); v++) {
			memcpy(seed + at, &interesting[v], 4);
			feed(seed, len);
			memcpy(seed + at, &interesting[v], 8);
			feed(seed, len);
			memcpy(seed + at, old, 8);
		}
	}
}

/* One random change; half of them near the front, where headers are. The new length. */
static size_t change(uint8_t *data, size_t len)
{
	const size_t near = random_below(2) && len > 256 ? 256 : len;
	const size_t at = random_below(near), left = len - at, width = (size_t)1 << random_below(4);
	const uint64_t value = random_value();
	size_t from, n;

	switch (random_below(4)) {
	case 0:
		data[at] ^= (uint8_t)(1 << random_below(8));
		return len;
	case 1:
		memcpy(data + at, &value, width < left ? width : left);
		return len;
	case 2:
		from = random_below(len);
		n = left < len - from ? left : len - from;
		memmove(data + at, data + from, random_below(n) + 1);
		return len;
	default:
		return random_below(8) ? len : at + 1;
	}
}

static void feed_random(const uint8_t *seed, size_t len)
{
	static uint8_t data[FUZZ_SEED_CAP];

	for (unsigned int i = 0; i < RANDOM_TRIES; i++) {
		size_t new_len = len;

		memcpy(data, seed, len);
		for (size_t changes = random_below(6) + 1; changes > 0; changes--)
			new_len = change(data, new_len);
		feed(data, new_len);
	}
}

static int replay_all(void)
{
	static uint8_t seed[FUZZ_SEED_CAP];
	unsigned int index;
	size_t len;

	for (index = 0; (len = fuzz_seed(index, seed)) > 0; index++) {
		feed(seed, len);
		feed_cuts(seed, len);
		feed_bytes(seed, len);
		feed_words(seed, len);
		feed_random(seed, len);
		memset(seed, 0, sizeof(seed));
	}
	printf("%u seeds, %lu inputs\n", index, inputs);
	return index > 0 ? 0 : 1;
}

static int replay_file(const char *name)
{
	static uint8_t data[128 << 20];
	FILE *file = fopen(name, "rb");

	if (!file) {
		perror(name);
		return 1;
	}
	feed(data, fread(data, 1, sizeof(data), file));
	fclose(file);
	return 0;
}

static int write_seeds(const char *folder)
{
	static uint8_t seed[FUZZ_SEED_CAP];
	size_t len;

	for (unsigned int index = 0; (len = fuzz_seed(index, seed)) > 0; index++) {
		char name[4096];
		FILE *file;

		snprintf(name, sizeof(name), "%s/seed-%u", folder, index);
		file = fopen(name, "wb");
		if (!file || fwrite(seed, 1, len, file) != len || fclose(file) != 0) {
			perror(name);
			return 1;
		}
		memset(seed, 0, sizeof(seed));
	}
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc == 1)
		return replay_all();
	if (argc == 3 && strcmp(argv[1], "--seeds") == 0)
		return write_seeds(argv[2]);
	for (int i = 1; i < argc; i++)
		failed |= replay_file(argv[i]);
	return failed;
}
