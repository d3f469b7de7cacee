// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Words, identifiers and lists in a profile's strings, and the shares of NUMA nodes. */
#include "bits.h"
#include "machine_plan.h"

int vmm__profile_refuse(struct vmm_profile_error *error, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vmm__profile_fail(error, code, 0, 0, fmt, ap);
	va_end(ap);
	return code;
}

static bool is_word(const char *text, const char *word)
{
	for (; *text == *word; text++, word++) {
		if (*text == '\0')
			return true;
	}
	return false;
}

static int check_firmware(const char *text, struct vmm_profile_error *error)
{
	if (is_word(text, "none") || is_word(text, "vuefi") || is_word(text, "bios"))
		return 0;
	return vmm__profile_refuse(error, -VMM_EINVAL,
				   "boot.firmware is none, vuefi or bios, not '%s'", text);
}

static int check_word(const char *key, const char *text, const char *a, const char *b,
		      struct vmm_profile_error *error)
{
	if (is_word(text, a) || is_word(text, b))
		return 0;
	return vmm__profile_refuse(error, -VMM_EINVAL, "%s is %s or %s, not '%s'", key, a, b, text);
}

static bool take_hex(const char **s, uint8_t *byte)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < 2; i++, ++*s) {
		const char c = **s;

		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value |= (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	*byte = (uint8_t)value;
	return true;
}

bool vmm__plan_guid(const char *text, uint8_t guid[16])
{
	const char *s = text;

	for (uint32_t i = 0; i < 16; i++) {
		guid[i] = 0;
		if (*text == '\0')
			continue;
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *s++ != '-')
			return false;
		if (!take_hex(&s, &guid[i]))
			return false;
	}
	return *s == '\0';
}

static int check_guid(const char *key, const char *text, struct vmm_profile_error *error)
{
	uint8_t guid[16];

	if (vmm__plan_guid(text, guid))
		return 0;
	return vmm__profile_refuse(error, -VMM_EINVAL,
				   "%s is to look like 01234567-89ab-cdef-0123-456789abcdef", key);
}

int vmm__plan_words(const struct vmm_profile *p, struct vmm_profile_error *error)
{
	int err = check_word("machine.arch", p->arch, "x86", "arm64", error);

	if (err == 0)
		err = check_word("cpu.ipi", p->cpu_ipi, "checked", "direct", error);
	if (err == 0)
		err = check_word("tpm.interface", p->tpm_interface, "crb", "tis", error);
	if (err == 0)
		err = check_word("arm.psci", p->arm_psci, "hvc", "smc", error);
	if (err == 0)
		err = check_firmware(p->firmware, error);
	if (err == 0)
		err = check_guid("vmgenid.guid", p->vmgenid_guid, error);
	if (err == 0)
		err = check_guid("smbios.uuid", p->smbios_uuid, error);
	return err;
}

/* --- NUMA nodes --- */

/* A number at *@s, which goes on behind it; false where there is none, or one above @max. */
static bool take_number(const char **s, uint32_t max, uint32_t *value)
{
	const char *begin = *s;

	*value = 0;
	for (; **s >= '0' && **s <= '9'; ++*s) {
		*value = *value * 10 + (uint32_t)(**s - '0');
		if (*value > max)
			return false;
	}
	return *s != begin;
}

#define NO_NODE 0xff

static int take_cpus(struct vmm__plan *plan, uint32_t node, struct vmm_profile_error *error)
{
	const char *s = plan->profile->numa_cpus[node];

	while (*s != '\0') {
		uint32_t first, last;

		if (!take_number(&s, plan->cpus - 1, &first))
			goto wrong;
		last = first;
		if (*s == '-' && (s++, !take_number(&s, plan->cpus - 1, &last) || last < first))
			goto wrong;
		for (uint32_t i = first; i <= last; i++) {
			if (plan->cpu_node[i] != NO_NODE)
				return vmm__profile_refuse(error, -VMM_EEXIST,
							   "CPU %u is in numa %u and numa %u", i,
							   plan->cpu_node[i], node);
			plan->cpu_node[i] = (uint8_t)node;
		}
		if (*s == ',' && s[1] != '\0')
			s++;
		else if (*s != '\0')
			goto wrong;
	}
	return 0;
wrong:
	return vmm__profile_refuse(error, -VMM_EINVAL,
				   "numa %u.cpus is to be a list such as 0-3,8 of CPUs 0 to %u",
				   node, plan->cpus - 1);
}

/* CPUs that no node names go to those that name none, in runs of even length. */
static int share_cpus(struct vmm__plan *plan, struct vmm_profile_error *error)
{
	uint32_t left = 0, takers = 0, given = 0, taken = 0;

	for (uint32_t i = 0; i < plan->cpus; i++)
		left += plan->cpu_node[i] == NO_NODE;
	for (uint32_t n = 0; n < plan->nodes; n++)
		takers += plan->profile->numa_cpus[n][0] == '\0';
	if (left > 0 && takers == 0)
		return vmm__profile_refuse(error, -VMM_ERANGE, "%u CPUs are in no NUMA node", left);
	for (uint32_t n = 0, cpu = 0; n < plan->nodes; n++) {
		if (plan->profile->numa_cpus[n][0] != '\0')
			continue;
		taken++;
		for (; given < left * taken / takers; cpu++) {
			if (plan->cpu_node[cpu] != NO_NODE)
				continue;
			plan->cpu_node[cpu] = (uint8_t)n;
			given++;
		}
	}
	return 0;
}

#define MIB UINT64_C(0x100000)

/* What is left goes in whole MiB to the nodes that do not say how much. */
static int share_memory(struct vmm__plan *plan, struct vmm_profile_error *error)
{
	uint64_t left = plan->profile->memory_size, share;
	uint32_t takers = 0;

	for (uint32_t n = 0; n < plan->nodes; n++) {
		plan->node_memory[n] = plan->profile->numa_memory[n];
		if (plan->node_memory[n] > left)
			return vmm__profile_refuse(
				error, -VMM_ERANGE,
				"memory of the NUMA nodes is more than memory.size");
		left -= plan->node_memory[n];
		takers += plan->node_memory[n] == 0;
	}
	if (takers == 0 && left != 0)
		return vmm__profile_refuse(error, -VMM_ERANGE,
					   "memory of the NUMA nodes is less than memory.size");
	if (takers == 0)
		return 0;
	share = left / MIB / takers * MIB;
	if (share == 0)
		return vmm__profile_refuse(error, -VMM_ERANGE, "a NUMA node is without memory");
	for (uint32_t n = 0; n < plan->nodes; n++) {
		if (plan->node_memory[n] != 0)
			continue;
		plan->node_memory[n] = --takers == 0 ? left : share;
		left -= share;
	}
	return 0;
}

static int take_distances(struct vmm__plan *plan, uint32_t node, struct vmm_profile_error *error)
{
	const char *s = plan->profile->numa_distances[node];

	for (uint32_t to = 0; to < plan->nodes; to++) {
		uint32_t value = to == node ? 10 : 20;

		if (plan->profile->numa_distances[node][0] != '\0') {
			while (*s == ' ' || *s == ',')
				s++;
			if (!take_number(&s, 255, &value) ||
			    (to == node ? value != 10 : value <= 10))
				goto wrong;
		}
		plan->distance[node * plan->nodes + to] = (uint8_t)value;
	}
	if (*s == '\0')
		return 0;
wrong:
	return vmm__profile_refuse(
		error, -VMM_EINVAL,
		"numa %u.distances is to be %u numbers, 10 to itself and 11 to 255 to others", node,
		plan->nodes);
}

int vmm__plan_nodes(struct vmm__plan *plan, struct vmm_profile_error *error)
{
	int err = 0;

	plan->nodes = (uint32_t)plan->profile->memory_nodes;
	for (uint32_t i = 0; i < plan->cpus; i++)
		plan->cpu_node[i] = NO_NODE;
	for (uint32_t n = 0; n < plan->nodes && err == 0; n++) {
		err = take_cpus(plan, n, error);
		if (err == 0)
			err = take_distances(plan, n, error);
	}
	if (err == 0)
		err = share_cpus(plan, error);
	return err == 0 ? share_memory(plan, error) : err;
}
