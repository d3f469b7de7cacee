// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * keys: what vmm_profile_key_at() tells, a line for each key: section, name, kind, indices, min,
 * max, and for each index its default, separated by tabs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libvmm/profile.h"

static void print_default(const struct vmm_profile *p, const struct vmm_profile_key *k,
			  uint32_t index)
{
	const char *text = "";
	uint64_t number = 0;

	if (k->kind == VMM_PROFILE_KIND_STRING) {
		vmm_profile_get_string(p, k->key, index, &text);
		printf("\t%s", text);
	} else {
		vmm_profile_get_number(p, k->key, index, &number);
		printf("\t%" PRIu64, number);
	}
}

int main(void)
{
	struct vmm_profile_key k = {.size = sizeof(k)};
	void *storage = malloc(vmm_profile_size());
	struct vmm_profile *p;

	if (storage == NULL || vmm_profile_init(storage, vmm_profile_size(), &p) != 0)
		return 1;
	for (uint32_t i = 0; vmm_profile_key_at(i, &k) == 0; i++) {
		printf("%s\t%s\t%" PRIu32 "\t%" PRIu32 "\t%" PRIu64 "\t%" PRIu64, k.section, k.name,
		       k.kind, k.indices, k.min, k.max);
		for (uint32_t index = 0; index < k.indices; index++)
			print_default(p, &k, index);
		putchar('\n');
	}
	free(storage);
	return 0;
}
