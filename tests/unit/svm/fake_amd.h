/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* CPUID of a processor with SVM and little else. */
#ifndef TESTS_SVM_FAKE_AMD_H
#define TESTS_SVM_FAKE_AMD_H

#include <string.h>

#include "bits.h"
#include "svm.h"

/* @svm_ecx: leaf 0x80000001's ECX; @features: SVM_CPUID_LEAF's EDX. */
static inline void fake_amd_cpuid(uint32_t leaf, uint32_t svm_ecx, uint32_t features,
				  uint32_t out[4])
{
	memset(out, 0, 4 * sizeof(*out));
	switch (leaf) {
	case 0:
		memcpy(out, (uint32_t[]){1, 0x68747541, 0x444d4163, 0x69746e65}, 16);
		break;
	case 1:
		memcpy(out, (uint32_t[]){0x00800f11, 0, 0, 0x078bfbff}, 16);
		break;
	case 0x80000000:
		out[0] = SVM_CPUID_LEAF;
		break;
	case 0x80000001:
		out[2] = svm_ecx;
		out[3] = (uint32_t)(BIT(11) | BIT(20) | BIT(29));
		break;
	case 0x80000008:
		out[0] = 48 << 8 | 48;
		break;
	case SVM_CPUID_LEAF:
		memcpy(out, (uint32_t[]){1, 16, 0, features}, 16);
		break;
	}
}

#endif
