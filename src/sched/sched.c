// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Schedulers and who is in them. */
#include "sched_object.h"
#include "sized.h"

#define SLICE_NS     UINT64_C(5000000)
#define SLICE_LEAST  UINT64_C(50000)
#define SLICE_MOST   UINT64_C(1000000000)
#define VCPUS_MOST   4096
#define CAP_MOST     99
#define STOP_NS      UINT64_C(60000000000)
#define STOP_LOOK_NS UINT64_C(1000000)

/* --- a scheduler --- */

static size_t mailbox_bytes(const struct vmm_sched *s)
{
	return (s->room + 63) / 64 * sizeof(_Atomic uint64_t);
}

static size_t queue_bytes(const struct vmm_sched *s)
{
	return s->room * sizeof(struct vmm__sched_node);
}

static void give_back(const struct vmm_host *host, void *ptr, size_t size)
{
	if (ptr != NULL)
		host->free(host->opaque, ptr, size);
}

static void free_all(struct vmm_sched *s)
{
	const struct vmm_host *host = s->host;

	give_back(host, s->cpu, s->cpu_count * sizeof(*s->cpu));
	give_back(host, s->place, s->room * sizeof(*s->place));
	give_back(host, s->storage, s->storage_bytes);
	give_back(host, s, sizeof(*s));
}

static bool allocate(struct vmm_sched *s)
{
	const struct vmm_host *host = s->host;
	uint8_t *at;

	s->storage_bytes = s->cpu_count * (mailbox_bytes(s) + 2 * queue_bytes(s));
	s->cpu = host->alloc(host->opaque, s->cpu_count * sizeof(*s->cpu),
			     _Alignof(struct vmm__sched_cpu));
	s->place = host->alloc(host->opaque, s->room * sizeof(*s->place),
			       _Alignof(struct vmm_sched_vcpu));
	s->storage = host->alloc(host->opaque, s->storage_bytes, _Alignof(struct vmm__sched_node));
	if (s->cpu == NULL || s->place == NULL || s->storage == NULL)
		return false;
	at = s->storage;
	for (uint32_t i = 0; i < s->cpu_count; i++) {
		struct vmm__sched_cpu *cpu = &s->cpu[i];

		cpu->bit = UINT64_C(1) << i;
		cpu->ready.node = (void *)at;
		at += queue_bytes(s);
		cpu->timers.node = (void *)at;
		at += queue_bytes(s);
		cpu->mailbox = (void *)at;
		at += mailbox_bytes(s);
	}
	for (uint32_t i = 0; i < s->room; i++)
		s->place[i].sched = s;
	return true;
}

static int check_config(struct vmm_sched_config *config)
{
	if ((config->kind != VMM_SCHED_PARTITION && config->kind != VMM_SCHED_CREDIT) ||
	    config->reserved != 0)
		return -VMM_EINVAL;
	if (config->slice_ns == 0)
		config->slice_ns = SLICE_NS;
	if (config->cpus == 0 || config->cpus > VMM_SCHED_CPUS_MAX || config->max_vcpus == 0 ||
	    config->max_vcpus > VCPUS_MOST || config->slice_ns < SLICE_LEAST ||
	    config->slice_ns > SLICE_MOST)
		return -VMM_ERANGE;
	return 0;
}

int vmm_sched_create(const struct vmm_host *host, const struct vmm_sched_config *user_config,
		     struct vmm_sched **out)
{
	struct vmm_sched_config config;
	struct vmm_sched *s;
	int err;

	if (host == NULL || out == NULL)
		return -VMM_EINVAL;
	*out = NULL;
	err = vmm__take_struct(&config, sizeof(config), user_config);
	if (err == 0)
		err = check_config(&config);
	if (err != 0)
		return err;
	s = host->alloc(host->opaque, sizeof(*s), _Alignof(struct vmm_sched));
	if (s == NULL)
		return -VMM_ENOMEM;
	s->host = host;
	s->kind = config.kind;
	s->cpu_count = config.cpus;
	s->room = config.max_vcpus;
	s->slice_ns = config.slice_ns;
	if (!allocate(s)) {
		free_all(s);
		return -VMM_ENOMEM;
	}
	*out = s;
	return 0;
}

int vmm_sched_destroy(struct vmm_sched *sched)
{
	if (sched == NULL)
		return 0;
	if (sched->count != 0)
		return -VMM_EBUSY;
	free_all(sched);
	return 0;
}

/* --- who is in it --- */

static uint64_t all_cpus(const struct vmm_sched *s)
{
	return UINT64_MAX >> (64 - s->cpu_count);
}

/* PARTITION: the first of @cpus that belongs to nobody but @v. 0: none. Under the lock. */
static uint64_t free_cpu(const struct vmm_sched *s, const struct vmm_sched_vcpu *v, uint64_t cpus)
{
	for (uint32_t i = 0; i < s->room; i++) {
		const struct vmm_sched_vcpu *other = &s->place[i];

		if (other != v && other->vcpu != NULL)
			cpus &= ~atomic_load(&other->cpus);
	}
	return cpus & (0 - cpus);
}

static int check_params(const struct vmm_sched *s, const struct vmm_sched_params *user,
			struct vmm_sched_params *params)
{
	const struct vmm_sched_params none = {.size = sizeof(none)};
	int err = vmm__take_struct(params, sizeof(*params), user != NULL ? user : &none);

	if (err != 0 || params->reserved != 0 || params->weight > VMM_SCHED_WEIGHT_MAX ||
	    params->cap > CAP_MOST)
		return -VMM_EINVAL;
	if (s->kind == VMM_SCHED_PARTITION && (params->weight != 0 || params->cap != 0))
		return -VMM_EINVAL;
	if (params->weight == 0)
		params->weight = VMM_SCHED_WEIGHT_DEFAULT;
	if (params->cpus == 0)
		params->cpus = all_cpus(s);
	return (params->cpus & ~all_cpus(s)) == 0 ? 0 : -VMM_ERANGE;
}

/* Under the lock. */
static int take_in(struct vmm_sched *s, struct vmm_vcpu *vcpu, struct vmm_sched_params *params,
		   void *opaque, struct vmm_sched_vcpu **out)
{
	struct vmm_sched_vcpu *v = NULL;
	struct vmm__sched_cpu *cpu;

	for (uint32_t i = 0; i < s->room && v == NULL; i++) {
		if (s->place[i].vcpu == NULL)
			v = &s->place[i];
	}
	if (v == NULL)
		return -VMM_ELIMIT;
	if (s->kind == VMM_SCHED_PARTITION)
		params->cpus = free_cpu(s, v, params->cpus);
	if (params->cpus == 0)
		return -VMM_EBUSY;
	/* Its bit may still be in a mailbox, of those who were there before. */
	cpu = vmm__sched_lock(v);
	v->vcpu = vcpu;
	v->opaque = opaque;
	v->stop = 0;
	v->weight = params->weight;
	v->cap = params->cap;
	v->cap_ns = 0;
	v->stats = (struct vmm_sched_stats){0};
	atomic_store(&v->cpus, params->cpus);
	atomic_store(&v->state, SCHED_STOPPED);
	vmm__unlock(s->host, &cpu->lock);
	s->count++;
	*out = v;
	return 0;
}

int vmm_sched_add(struct vmm_sched *sched, struct vmm_vcpu *vcpu,
		  const struct vmm_sched_params *user_params, void *opaque,
		  struct vmm_sched_vcpu **place)
{
	struct vmm_sched_params params;
	int err;

	if (sched == NULL || vcpu == NULL || place == NULL)
		return -VMM_EINVAL;
	*place = NULL;
	err = check_params(sched, user_params, &params);
	if (err == 0 && sched->kind == VMM_SCHED_CREDIT)
		err = vmm_vcpu_set_slice(vcpu, VMM_FOREVER, 0);
	if (err != 0)
		return err;
	vmm__lock(sched->host, &sched->lock);
	err = take_in(sched, vcpu, &params, opaque, place);
	vmm__unlock(sched->host, &sched->lock);
	return err == 0 ? vmm_vcpu_on_wake(vcpu, vmm__sched_wake, *place) : err;
}

int vmm_sched_start(struct vmm_sched_vcpu *v)
{
	struct vmm__sched_cpu *cpu;
	bool stopped;

	/* Where it is best now. */
	vmm__sched_move(v);
	cpu = vmm__sched_lock(v);
	v->stop = 0;
	stopped = atomic_load(&v->state) == SCHED_STOPPED;
	if (stopped) {
		if ((int64_t)(v->vtime - cpu->floor) < 0 || v->stats.given == 0)
			v->vtime = cpu->floor;
		vmm__sched_make_ready(v, cpu, vmm__sched_now(v->sched));
	}
	vmm__unlock(v->sched->host, &cpu->lock);
	if (stopped)
		vmm__sched_poke(v->sched, atomic_load(&v->cpu));
	return 0;
}

/* Stop it, or ask for that. True: it has stopped. */
static bool ask_to_stop(struct vmm_sched_vcpu *v)
{
	struct vmm__sched_cpu *cpu = vmm__sched_lock(v);
	struct vmm_sched *s = v->sched;
	const uint32_t state = atomic_load(&v->state), number = atomic_load(&v->cpu);
	const bool mine = atomic_load(&cpu->thread) == vmm__thread_id(s->host);
	bool stopped = true;

	if (state == SCHED_MOVING || (state == SCHED_RUNNING && !mine)) {
		v->stop = 1;
		stopped = false;
	} else {
		if (state == SCHED_RUNNING)
			vmm__sched_take_off(cpu, vmm__sched_now(s));
		vmm__sched_take_out(v, cpu);
		atomic_store(&v->state, SCHED_STOPPED);
	}
	vmm__unlock(s->host, &cpu->lock);
	if (!stopped)
		vmm__sched_poke(s, number);
	return stopped;
}

int vmm_sched_stop(struct vmm_sched_vcpu *v)
{
	struct vmm_sched *s = v->sched;
	const uint64_t end = vmm__sched_now(s) + STOP_NS;
	uint32_t state;

	if (ask_to_stop(v))
		return 0;
	while ((state = atomic_load(&v->state)) != SCHED_STOPPED) {
		if (vmm__sched_now(s) >= end)
			return -VMM_ETIMEOUT;
		vmm__wait(s->host, &v->state, state, STOP_LOOK_NS);
	}
	return 0;
}

/* Who poked a CPU may still have the vCPU in hand that it ran then. */
static void await_pokers(struct vmm_sched *s)
{
	for (uint32_t i = 0; i < s->cpu_count; i++) {
		uint32_t busy;

		while ((busy = atomic_load(&s->cpu[i].pokers)) != 0)
			vmm__wait(s->host, &s->cpu[i].pokers, busy, STOP_LOOK_NS);
	}
}

int vmm_sched_remove(struct vmm_sched_vcpu *v)
{
	struct vmm_sched *s = v->sched;
	int err = vmm_sched_stop(v);

	if (err != 0)
		return err;
	vmm_vcpu_on_wake(v->vcpu, NULL, NULL);
	await_pokers(s);
	if (s->kind == VMM_SCHED_CREDIT)
		vmm_vcpu_set_slice(v->vcpu, VMM_FOREVER, 0);
	vmm__lock(s->host, &s->lock);
	atomic_store(&v->state, SCHED_FREE);
	v->vcpu = NULL;
	s->count--;
	vmm__unlock(s->host, &s->lock);
	return 0;
}

int vmm_sched_set(struct vmm_sched_vcpu *v, const struct vmm_sched_params *user_params)
{
	struct vmm_sched_params params;
	struct vmm_sched *s = v->sched;
	struct vmm__sched_cpu *cpu;
	int err = check_params(s, user_params, &params);

	if (err != 0)
		return err;
	vmm__lock(s->host, &s->lock);
	if (s->kind == VMM_SCHED_PARTITION)
		params.cpus = free_cpu(s, v, params.cpus);
	if (params.cpus == 0) {
		vmm__unlock(s->host, &s->lock);
		return -VMM_EBUSY;
	}
	cpu = vmm__sched_lock(v);
	v->weight = params.weight;
	v->cap = params.cap;
	atomic_store(&v->cpus, params.cpus);
	vmm__unlock(s->host, &cpu->lock);
	vmm__unlock(s->host, &s->lock);
	if ((params.cpus >> atomic_load(&v->cpu) & 1) == 0)
		vmm__sched_move(v);
	return 0;
}

struct vmm_vcpu *vmm_sched_get_vcpu(const struct vmm_sched_vcpu *place)
{
	return place->vcpu;
}

void *vmm_sched_opaque(const struct vmm_sched_vcpu *place)
{
	return place->opaque;
}

int vmm_sched_get_stats(struct vmm_sched_vcpu *v, struct vmm_sched_stats *stats)
{
	struct vmm_sched_stats now;
	struct vmm__sched_cpu *cpu;

	if (stats == NULL)
		return -VMM_EINVAL;
	cpu = vmm__sched_lock(v);
	now = v->stats;
	now.cpu = atomic_load(&v->cpu);
	vmm__unlock(v->sched->host, &cpu->lock);
	return vmm__give_struct(stats, &now, sizeof(now));
}
