// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Raw bytes, at the place and in the mode that the caller names. */
#include "load.h"

static int check(const struct vmm__load *load)
{
	const struct vmm_load_args *args = load->args;

	if (args->flat_mode < VMM_BOOT_REAL16 || args->flat_mode > VMM_BOOT_LONG64)
		return LOAD_FAIL(load, -VMM_EINVAL, "0x%llx is no mode to enter a flat binary in",
				 ULL(args->flat_mode));
	if (args->cmdline || args->module_count)
		return LOAD_FAIL(load, -VMM_ENOTSUP,
				 "a flat binary takes no command line and no modules");
	if (args->flat_entry < args->flat_base ||
	    args->flat_entry - args->flat_base >= args->image_len)
		return LOAD_FAIL(load, -VMM_EINVAL,
				 "the entry 0x%llx is not within the %llu bytes at 0x%llx",
				 ULL(args->flat_entry), ULL(args->image_len), ULL(args->flat_base));
	if (args->flat_mode == VMM_BOOT_REAL16 && args->flat_entry >= VMM__1MIB)
		return LOAD_FAIL(load, -VMM_ERANGE, "real mode cannot reach its entry, 0x%llx",
				 ULL(args->flat_entry));
	if (args->flat_entry >= VMM__4GIB)
		return LOAD_FAIL(load, -VMM_ERANGE, "the entry 0x%llx is not below 4 GiB",
				 ULL(args->flat_entry));
	return 0;
}

int vmm__flat_load(struct vmm__load *load)
{
	const struct vmm_load_args *args = load->args;
	int err = check(load);

	if (!err)
		err = vmm__load_reserve(load, args->flat_base, args->image_len, VMM_BOOT_AREA_IMAGE,
					0);
	if (!err)
		err = vmm__entry_plan(load, args->flat_mode);
	if (err)
		return err;
	load->boot->entry = args->flat_entry;
	err = vmm__load_write(load, args->flat_base, args->image, args->image_len);
	return err ? err : vmm__entry_write(load);
}
