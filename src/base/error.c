// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "libvmm/types.h"

uint32_t vmm_version(void)
{
	return (VMM_VERSION_MAJOR << 16) | (VMM_VERSION_MINOR << 8) | VMM_VERSION_PATCH;
}

static unsigned magnitude(int code)
{
	return code < 0 ? 0U - (unsigned)code : (unsigned)code;
}

const char *vmm_strerror(int code)
{
	switch (magnitude(code)) {
	case 0:
		return "success";
#define TEXT(name, number, text) \
	case number:             \
		return text;
		VMM_ERRORS(TEXT)
#undef TEXT
	default:
		return "unknown error";
	}
}

const char *vmm_errname(int code)
{
	switch (magnitude(code)) {
	case 0:
		return "VMM_OK";
#define NAME(name, number, text) \
	case number:             \
		return "VMM_" #name;
		VMM_ERRORS(NAME)
#undef NAME
	default:
		return "VMM_E?";
	}
}
