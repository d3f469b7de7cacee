/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The table of keys, and how a profile is stored. */
#ifndef VMM_MACHINE_PROFILE_KEYS_H
#define VMM_MACHINE_PROFILE_KEYS_H

#include <stdbool.h>

#include "format.h"
#include "libvmm/profile.h"

#define VMM__PROFILE_INDICES 4    /* most sections of one name */
#define VMM__PROFILE_NUMBERS 32   /* numbers of all keys and indices */
#define VMM__PROFILE_STRING  2047 /* most bytes of any string */
#define VMM__PROFILE_CPUS    1024 /* most CPUs in all */

/* Copied as it is: it holds no pointer. */
struct vmm_profile {
	uint64_t number[VMM__PROFILE_NUMBERS];
	char name[64];
	char cpu_model[64];
	char kernel[1024];
	char initrd[1024];
	char cmdline[VMM__PROFILE_STRING + 1];
};

struct vmm__key {
	uint32_t key;
	uint8_t kind;
	uint8_t indices;
	bool hex;       /* the writer writes it in base 16 */
	uint16_t place; /* number: first of its slots; string: its offset in the profile */
	uint64_t min;
	uint64_t max;
	const char *section;
	const char *name;
	const char *help;
	uint64_t number[VMM__PROFILE_INDICES]; /* defaults */
	const char *string;
};

/* Keys of a section stand together. */
extern const struct vmm__key vmm__keys[];
extern const uint32_t vmm__key_count;

static inline bool vmm__key_is_string(const struct vmm__key *key)
{
	return key->kind == VMM_PROFILE_KIND_STRING;
}

/* The value as it stands; for keys and indices that are known to be there. */
uint64_t vmm__profile_number(const struct vmm_profile *profile, uint32_t key, uint32_t index);
const char *vmm__profile_string(const struct vmm_profile *profile, const struct vmm__key *key);

/* Fill @error, which may be NULL, and give @code. */
int vmm__profile_fail(struct vmm_profile_error *error, int code, uint32_t line, uint32_t column,
		      const char *fmt, va_list ap) VMM__PRINTF(5, 0);

#endif
