// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Writing into the areas that were reserved; only the target can fail here. */
#include "load.h"

static int target_failed(const struct vmm__load *load, int err, uint64_t gpa, uint64_t len)
{
	return LOAD_FAIL(load, err, "the target refused to write %llu bytes at 0x%llx", ULL(len),
			 ULL(gpa));
}

int vmm__load_write(const struct vmm__load *load, uint64_t gpa, const void *buf, uint64_t len)
{
	const struct vmm_load_target *target = load->target;
	int err;

	if (len == 0)
		return 0;
	err = target->write(target->opaque, gpa, buf, (size_t)len);
	return err ? target_failed(load, err, gpa, len) : 0;
}

int vmm__load_zero(const struct vmm__load *load, uint64_t gpa, uint64_t len)
{
	static const uint8_t zeros[4096];
	const struct vmm_load_target *target = load->target;
	int err;

	if (len == 0)
		return 0;
	if (target->zero) {
		err = target->zero(target->opaque, gpa, len);
		return err ? target_failed(load, err, gpa, len) : 0;
	}
	for (uint64_t done = 0, n; done < len; done += n) {
		n = len - done < sizeof(zeros) ? len - done : sizeof(zeros);
		err = vmm__load_write(load, gpa + done, zeros, n);
		if (err)
			return err;
	}
	return 0;
}

int vmm__load_write_string(const struct vmm__load *load, uint64_t gpa, const char *text)
{
	return vmm__load_write(load, gpa, text, vmm__load_string_size(text));
}

int vmm__load_write_modules(const struct vmm__load *load)
{
	const struct vmm_load_args *args = load->args;
	int err = 0;

	for (uint32_t i = 0; i < args->module_count && !err; i++)
		err = vmm__load_write(load, vmm__load_module_base(load, i), args->modules[i].data,
				      args->modules[i].len);
	return err;
}
