// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Two stores: one for non-volatile variables, in the embedder's storage if there is one, and a
 * small one in memory for the volatile ones. A guest sees what has RUNTIME, and may change what
 * also has NON_VOLATILE.
 */
#include "uefi_vars.h"
#include "bits.h"
#include "endian.h"
#include "mem.h"
#include "sized.h"
#include "sync.h"
#include "uefi_guid.h"
#include "uefi_runtime.h"

_Static_assert(VMM_UEFI_NAME_MAX == UEFI_NAME_MAX && VMM_UEFI_DATA_MAX == UEFI_DATA_MAX, "");
_Static_assert(VMM_UEFI_VAR_NON_VOLATILE == EFI_VARIABLE_NON_VOLATILE &&
		       VMM_UEFI_VAR_BOOT == EFI_VARIABLE_BOOT &&
		       VMM_UEFI_VAR_RUNTIME == EFI_VARIABLE_RUNTIME &&
		       VMM_UEFI_VAR_APPEND == EFI_VARIABLE_APPEND,
	       "8.2");

#define VOLATILE_BANK VMM__UEFI_BANK_MIN
#define MEMORY_LEN    0x20000 /* of storage that is not there */

#define ACCESS (EFI_VARIABLE_BOOT | EFI_VARIABLE_RUNTIME)
#define REFUSED                                                                \
	(EFI_VARIABLE_AUTH | EFI_VARIABLE_TIMED_AUTH | EFI_VARIABLE_ENHANCED | \
	 EFI_VARIABLE_ERROR_RECORD)

enum { KEPT, VOLATILE, STORES };

struct vmm_uefi_vars {
	const struct vmm_host *host;
	struct vmm__mutex lock; /* for all below */
	struct vmm__uefi_store store[STORES];
	uint8_t *buffer[STORES][2];
	uint32_t bank_len[STORES];
	bool is_kept;
};

/* A variable that is there. */
struct found {
	struct vmm__uefi_store *store; /* NULL: it is not */
	uint32_t at;
	struct vmm__uefi_value value;
};

static struct found find(struct vmm_uefi_vars *v, uint32_t who, const struct vmm__uefi_name *name)
{
	struct found f = {.store = NULL};

	for (uint32_t i = 0; i < STORES; i++) {
		const uint32_t at = vmm__uefi_store_find(&v->store[i], name);

		if (at == 0)
			continue;
		f = (struct found){&v->store[i], at, vmm__uefi_store_at(&v->store[i], at)};
		if (who == VMM__UEFI_GUEST && (f.value.attributes & EFI_VARIABLE_RUNTIME) == 0)
			f.store = NULL;
		return f;
	}
	return f;
}

/* --- Reading --- */

uint64_t vmm__uefi_vars_get(struct vmm_uefi_vars *vars, uint32_t who,
			    const struct vmm__uefi_name *name, uint32_t *attributes, void *data,
			    uint32_t *len)
{
	const uint32_t room = *len;
	uint64_t status = EFI_NOT_FOUND;
	struct found f;

	vmm__lock(vars->host, &vars->lock);
	f = find(vars, who, name);
	if (f.store != NULL) {
		*len = f.value.len;
		*attributes = f.value.attributes;
		status = f.value.len <= room ? EFI_SUCCESS : EFI_BUFFER_TOO_SMALL;
		if (status == EFI_SUCCESS)
			memcpy(data, f.value.data, f.value.len);
	}
	vmm__unlock(vars->host, &vars->lock);
	return status;
}

/* The first one that is to be seen behind @at of store @index. */
static struct found next_seen(struct vmm_uefi_vars *v, uint32_t who, uint32_t index, uint32_t at)
{
	for (; index < STORES; index++, at = 0) {
		struct vmm__uefi_store *s = &v->store[index];

		while ((at = vmm__uefi_store_next(s, at)) != 0) {
			const struct vmm__uefi_value value = vmm__uefi_store_at(s, at);

			if (who == VMM__UEFI_FIRMWARE ||
			    (value.attributes & EFI_VARIABLE_RUNTIME) != 0)
				return (struct found){s, at, value};
		}
	}
	return (struct found){.store = NULL};
}

static uint64_t find_next(struct vmm_uefi_vars *v, uint32_t who, const struct vmm__uefi_name *name,
			  struct found *next)
{
	struct found last;

	if (name->len == 2) {
		*next = next_seen(v, who, KEPT, 0);
		return next->store != NULL ? EFI_SUCCESS : EFI_NOT_FOUND;
	}
	last = find(v, who, name);
	if (last.store == NULL)
		return EFI_INVALID_PARAMETER;
	*next = next_seen(v, who, last.store == &v->store[KEPT] ? KEPT : VOLATILE, last.at);
	return next->store != NULL ? EFI_SUCCESS : EFI_NOT_FOUND;
}

uint64_t vmm__uefi_vars_next(struct vmm_uefi_vars *vars, uint32_t who,
			     const struct vmm__uefi_name *name, void *guid, void *text,
			     uint32_t *len)
{
	struct found next;
	uint64_t status;

	vmm__lock(vars->host, &vars->lock);
	status = find_next(vars, who, name, &next);
	if (status == EFI_SUCCESS) {
		*len = next.value.name.len;
		memcpy(guid, next.value.name.guid, 16);
		memcpy(text, next.value.name.name, next.value.name.len);
	}
	vmm__unlock(vars->host, &vars->lock);
	return status;
}

/* --- Attributes --- */

/* What is not supported is told apart from what makes no sense. */
static uint64_t check_attributes(uint32_t attributes)
{
	if ((attributes & ~EFI_VARIABLE_ALL) != 0)
		return EFI_INVALID_PARAMETER;
	if ((attributes & REFUSED) != 0)
		return EFI_UNSUPPORTED;
	if ((attributes & ACCESS) == EFI_VARIABLE_RUNTIME)
		return EFI_INVALID_PARAMETER;
	return EFI_SUCCESS;
}

uint64_t vmm__uefi_vars_query(struct vmm_uefi_vars *vars, uint32_t attributes, uint64_t value[3])
{
	const uint64_t status = check_attributes(attributes);
	const uint32_t index = (attributes & EFI_VARIABLE_NON_VOLATILE) != 0 ? KEPT : VOLATILE;
	const struct vmm__uefi_store *s = &vars->store[index];
	uint64_t most;

	if (status != EFI_SUCCESS)
		return status;
	if ((attributes & ACCESS) == 0)
		return EFI_INVALID_PARAMETER;
	vmm__lock(vars->host, &vars->lock);
	value[0] = vmm__uefi_store_capacity(s);
	value[1] = vmm__uefi_store_left(s);
	vmm__unlock(vars->host, &vars->lock);
	most = value[0] - VMM__UEFI_RECORD_OVERHEAD;
	value[2] = most < UEFI_DATA_MAX ? most : UEFI_DATA_MAX;
	return EFI_SUCCESS;
}

/* --- Changing --- */

static uint64_t status_of(int err)
{
	switch (err) {
	case 0:
		return EFI_SUCCESS;
	case -VMM_ELIMIT:
		return EFI_OUT_OF_RESOURCES;
	default:
		return EFI_DEVICE_ERROR;
	}
}

/* Volatile ones are only read once boot services have gone. */
static bool is_protected(uint32_t who, const struct found *f)
{
	return who == VMM__UEFI_GUEST && (f->value.attributes & EFI_VARIABLE_NON_VOLATILE) == 0;
}

static uint64_t delete (uint32_t who, const struct vmm__uefi_name *name, const struct found *f)
{
	if (f->store == NULL)
		return EFI_NOT_FOUND;
	if (is_protected(who, f))
		return EFI_WRITE_PROTECTED;
	return status_of(vmm__uefi_store_delete(f->store, name));
}

static uint64_t update(uint32_t who, const struct vmm__uefi_name *name, const struct found *f,
		       uint32_t attributes, const void *data, uint32_t len)
{
	const uint32_t keep = (attributes & EFI_VARIABLE_APPEND) != 0 ? f->value.len : 0;

	if (is_protected(who, f))
		return EFI_WRITE_PROTECTED;
	attributes &= ~EFI_VARIABLE_APPEND;
	if (attributes != f->value.attributes)
		return EFI_INVALID_PARAMETER;
	if (len == 0) /* nothing to append */
		return EFI_SUCCESS;
	if (len > UEFI_DATA_MAX - keep)
		return EFI_OUT_OF_RESOURCES;
	return status_of(vmm__uefi_store_set(f->store, name, attributes, keep, data, len));
}

static uint64_t create(struct vmm_uefi_vars *v, uint32_t who, const struct vmm__uefi_name *name,
		       uint32_t attributes, const void *data, uint32_t len)
{
	const uint32_t index = (attributes & EFI_VARIABLE_NON_VOLATILE) != 0 ? KEPT : VOLATILE;

	if (len == 0)
		return EFI_NOT_FOUND;
	if (who == VMM__UEFI_GUEST &&
	    (index == VOLATILE || (attributes & EFI_VARIABLE_RUNTIME) == 0 ||
	     find(v, VMM__UEFI_FIRMWARE, name).store != NULL))
		return EFI_INVALID_PARAMETER;
	return status_of(vmm__uefi_store_set(&v->store[index], name,
					     attributes & ~EFI_VARIABLE_APPEND, 0, data, len));
}

static uint64_t set(struct vmm_uefi_vars *v, uint32_t who, const struct vmm__uefi_name *name,
		    uint32_t attributes, const void *data, uint32_t len)
{
	const struct found f = find(v, who, name);

	if ((attributes & ACCESS) == 0 || (len == 0 && (attributes & EFI_VARIABLE_APPEND) == 0))
		return delete (who, name, &f);
	if (f.store != NULL)
		return update(who, name, &f, attributes, data, len);
	return create(v, who, name, attributes, data, len);
}

uint64_t vmm__uefi_vars_set(struct vmm_uefi_vars *vars, uint32_t who,
			    const struct vmm__uefi_name *name, uint32_t attributes,
			    const void *data, uint32_t len)
{
	static const uint8_t ours[] = VMM__GUID_LIBVMM;
	uint64_t status = check_attributes(attributes);

	if (status != EFI_SUCCESS)
		return status;
	if (name->len == 2 || len > UEFI_DATA_MAX)
		return EFI_INVALID_PARAMETER;
	if (who == VMM__UEFI_GUEST && memcmp(name->guid, ours, sizeof(ours)) == 0)
		return EFI_WRITE_PROTECTED;
	vmm__lock(vars->host, &vars->lock);
	status = set(vars, who, name, attributes, data, len);
	vmm__unlock(vars->host, &vars->lock);
	return status;
}

/* --- The embedder's calls --- */

static int error_of(uint64_t status)
{
	switch (status) {
	case EFI_SUCCESS:
		return 0;
	case EFI_NOT_FOUND:
		return -VMM_ENOENT;
	case EFI_BUFFER_TOO_SMALL:
		return -VMM_ESIZE;
	case EFI_UNSUPPORTED:
		return -VMM_ENOTSUP;
	case EFI_OUT_OF_RESOURCES:
		return -VMM_ELIMIT;
	case EFI_DEVICE_ERROR:
		return -VMM_EIO;
	default:
		return -VMM_EINVAL;
	}
}

/* A name of the caller's; false where its end is too far. */
static bool take_name(struct vmm__uefi_name *name, const uint8_t *guid, const uint16_t *text)
{
	*name = (struct vmm__uefi_name){guid, text, 2};
	if (guid == NULL || text == NULL)
		return false;
	while (text[name->len / 2 - 1] != 0) {
		name->len += 2;
		if (name->len > UEFI_NAME_MAX)
			return false;
	}
	return true;
}

int vmm_uefi_vars_get(struct vmm_uefi_vars *vars, const uint8_t *guid, const uint16_t *name,
		      uint32_t *attributes, void *data, uint32_t *len)
{
	struct vmm__uefi_name n;
	uint32_t seen = 0;
	uint64_t status;

	if (!take_name(&n, guid, name) || len == NULL || (data == NULL && *len != 0))
		return -VMM_EINVAL;
	status = vmm__uefi_vars_get(vars, VMM__UEFI_FIRMWARE, &n, &seen, data, len);
	if (attributes != NULL && (status == EFI_SUCCESS || status == EFI_BUFFER_TOO_SMALL))
		*attributes = seen;
	return error_of(status);
}

int vmm_uefi_vars_set(struct vmm_uefi_vars *vars, const uint8_t *guid, const uint16_t *name,
		      uint32_t attributes, const void *data, uint32_t len)
{
	struct vmm__uefi_name n;

	if (!take_name(&n, guid, name) || (data == NULL && len != 0))
		return -VMM_EINVAL;
	return error_of(vmm__uefi_vars_set(vars, VMM__UEFI_FIRMWARE, &n, attributes, data, len));
}

int vmm_uefi_vars_next(struct vmm_uefi_vars *vars, uint8_t *guid, uint16_t *name)
{
	struct vmm__uefi_name n;
	uint32_t len;

	if (!take_name(&n, guid, name))
		return -VMM_EINVAL;
	return error_of(vmm__uefi_vars_next(vars, VMM__UEFI_FIRMWARE, &n, guid, name, &len));
}

int vmm_uefi_vars_get_info(struct vmm_uefi_vars *vars, struct vmm_uefi_vars_info *info)
{
	struct vmm_uefi_vars_info i = {.is_kept = vars->is_kept};

	vmm__lock(vars->host, &vars->lock);
	i.capacity = vmm__uefi_store_capacity(&vars->store[KEPT]);
	i.left = vmm__uefi_store_left(&vars->store[KEPT]);
	vmm__unlock(vars->host, &vars->lock);
	return vmm__give_struct(info, &i, sizeof(i));
}

/* --- Making --- */

static int open_store(struct vmm_uefi_vars *v, uint32_t index,
		      const struct vmm_uefi_storage *storage, uint32_t bank_len)
{
	v->bank_len[index] = bank_len;
	for (int i = 0; i < 2; i++) {
		v->buffer[index][i] = v->host->alloc(v->host->opaque, bank_len, _Alignof(uint64_t));
		if (v->buffer[index][i] == NULL)
			return -VMM_ENOMEM;
	}
	return vmm__uefi_store_open(&v->store[index], storage, bank_len, v->buffer[index][0],
				    v->buffer[index][1]);
}

/* 3.3: what every firmware tells of itself. The guest cannot change it, since it is volatile. */
static int tell(struct vmm_uefi_vars *v, const char *name, uint64_t value, uint32_t len)
{
	static const uint8_t guid[] = VMM__GUID(0x8be4df61, 0x93ca, 0x11d2, 0xaa, 0x0d, 0x00, 0xe0,
						0x98, 0x03, 0x2b, 0x8c);
	uint16_t text[32] = {0};
	uint8_t data[8];

	for (uint32_t i = 0; name[i] != '\0'; i++)
		text[i] = (uint16_t)name[i];
	vmm__put_le64(data, value);
	return vmm_uefi_vars_set(v, guid, text, VMM_UEFI_VAR_BOOT | VMM_UEFI_VAR_RUNTIME, data,
				 len);
}

static int open_all(struct vmm_uefi_vars *v, const struct vmm_uefi_storage *storage)
{
	uint32_t bank_len = vmm__uefi_bank_len(storage != NULL ? storage->len : MEMORY_LEN);
	int err = bank_len != 0 ? 0 : -VMM_ESIZE;

	if (err == 0)
		err = open_store(v, KEPT, storage, bank_len);
	if (err == 0)
		err = open_store(v, VOLATILE, NULL, VOLATILE_BANK);
	if (err == 0)
		err = tell(v, "SecureBoot", 0, 1);
	if (err == 0)
		err = tell(v, "SetupMode", 1, 1);
	if (err == 0)
		err = tell(v, "OsIndicationsSupported", 0, 8);
	return err;
}

static void log_volatile(const struct vmm_host *host)
{
	if (host->log != NULL)
		host->log(host->opaque, VMM_LOG_WARN,
			  "UEFI variables have no storage: they end with the machine");
}

int vmm_uefi_vars_create(const struct vmm_host *host, const struct vmm_uefi_storage *storage,
			 struct vmm_uefi_vars **vars)
{
	struct vmm_uefi_storage taken;
	struct vmm_uefi_vars *v;
	int err;

	if (host == NULL || vars == NULL)
		return -VMM_EINVAL;
	*vars = NULL;
	if (storage != NULL &&
	    (vmm__take_struct(&taken, sizeof(taken), storage) != 0 || taken.reserved != 0 ||
	     taken.read == NULL || taken.write == NULL || taken.flush == NULL))
		return -VMM_EINVAL;
	v = host->alloc(host->opaque, sizeof(*v), _Alignof(struct vmm_uefi_vars));
	if (v == NULL)
		return -VMM_ENOMEM;
	v->host = host;
	v->is_kept = storage != NULL;
	err = open_all(v, storage != NULL ? &taken : NULL);
	if (err != 0) {
		vmm_uefi_vars_destroy(v);
		return err;
	}
	if (storage == NULL)
		log_volatile(host);
	*vars = v;
	return 0;
}

void vmm_uefi_vars_destroy(struct vmm_uefi_vars *vars)
{
	if (vars == NULL)
		return;
	for (uint32_t i = 0; i < STORES; i++) {
		for (int j = 0; j < 2; j++) {
			if (vars->buffer[i][j] != NULL)
				vars->host->free(vars->host->opaque, vars->buffer[i][j],
						 vars->bank_len[i]);
		}
	}
	vars->host->free(vars->host->opaque, vars, sizeof(*vars));
}
