// SPDX-License-Identifier: BSD-2-Clause-Patent
/*
 * Real-time clock and its memory, after Motorola's MC146818A data sheet (ADI-855R2, 1984), whose
 * headings stand at the rules; the century is in byte 50, as PCs have it.
 *
 * Nothing ticks. The clock has a time at a moment of the host's monotonic clock, and the registers
 * of the time, and what flags have come, follow from that. While updates are inhibited the
 * registers are plain bytes, from which the clock goes on afterwards.
 */
#include "bits.h"
#include "libvmm/dev.h"
#include "mem.h"
#include "sized.h"
#include "sync.h"

#define SECOND 1000000000u
#define DAY    86400u
#define NEVER  UINT64_MAX

/* "Address map" */
#define SECONDS       0
#define SECONDS_ALARM 1
#define MINUTES       2
#define MINUTES_ALARM 3
#define HOURS         4
#define HOURS_ALARM   5
#define WEEKDAY       6
#define MONTHDAY      7
#define MONTH         8
#define YEAR          9
#define REG_A         10
#define REG_B         11
#define REG_C         12
#define REG_D         13
#define MEMORY        14
#define CENTURY       50

#define A_UIP      0x80u
#define A_DIVIDER  0x70u
#define A_RATE     0x0fu
#define DIVIDER_ON 2 /* of 32,768 Hz */

#define B_SET     0x80u
#define B_PIE     0x40u
#define B_AIE     0x20u
#define B_UIE     0x10u
#define B_SQWE    0x08u
#define B_BINARY  0x04u
#define B_24_HOUR 0x02u

#define C_IRQF 0x80u
#define C_PF   0x40u
#define C_AF   0x20u
#define C_UF   0x10u

#define D_VRT 0x80u

#define HOURS_PM 0x80u

/* "Update Cycle": UIP comes 244 us before a cycle of 1984 us. */
#define UPDATE_NS 2228000u

/* From the 1st of January of the year 0 to that of 1970. */
#define DAYS_1970 719528u
/* Four digits of a year. */
#define YEARS_END (UINT64_C(3652425) * DAY)

struct moment {
	uint64_t seconds; /* since the 1st of January of the year 0 */
	uint32_t ns;
};

struct date {
	uint32_t year, month, day; /* from 1 on, but for the year */
};

struct vmm_rtc {
	const struct vmm_host *host;
	struct vmm_rtc_config config;
	struct vmm__mutex lock; /* for all below */
	struct moment now;      /* time at @now_ns of the host's clock, as of the last update() */
	uint64_t now_ns;
	uint64_t deadline_ns; /* as last told */
	uint32_t level;       /* likewise */
	uint8_t index;
	uint8_t bytes[VMM_RTC_BYTES];
};

/* --- calendar --- */

static bool is_leap(uint32_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint32_t month_days(uint32_t year, uint32_t month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days of the years before @year. */
static uint32_t year_days(uint32_t year)
{
	/* 0 is a leap year. */
	return year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
}

static struct date date_of(uint32_t day)
{
	struct date d = {.year = day / 366, .month = 1};

	while (year_days(d.year + 1) <= day) /* at most 21 times until 9999 */
		d.year++;
	day -= year_days(d.year);
	while (day >= month_days(d.year, d.month))
		day -= month_days(d.year, d.month++);
	d.day = day + 1;
	return d;
}

static uint32_t day_of(const struct date *d)
{
	uint32_t day = year_days(d->year) + d->day - 1;

	for (uint32_t month = 1; month < d->month; month++)
		day += month_days(d->year, month);
	return day;
}

/* --- registers of the time --- */

static bool is_frozen(const struct vmm_rtc *r)
{
	return (r->bytes[REG_B] & B_SET) != 0 ||
	       FIELD_GET(A_DIVIDER, r->bytes[REG_A]) != DIVIDER_ON;
}

static struct moment later(struct moment m, uint64_t by_ns)
{
	uint64_t ns = m.ns + by_ns;

	return (struct moment){(m.seconds + ns / SECOND) % YEARS_END, (uint32_t)(ns % SECOND)};
}

static uint8_t encode(const struct vmm_rtc *r, uint32_t value)
{
	return (uint8_t)(r->bytes[REG_B] & B_BINARY ? value : value % 10 | value / 10 << 4);
}

static uint32_t decode(const struct vmm_rtc *r, uint32_t value)
{
	return r->bytes[REG_B] & B_BINARY ? value : (value >> 4) * 10 + (value & 15);
}

static uint8_t encode_hour(const struct vmm_rtc *r, uint32_t hour)
{
	uint32_t half = hour % 12 == 0 ? 12 : hour % 12;

	if (r->bytes[REG_B] & B_24_HOUR)
		return encode(r, hour);
	return (uint8_t)(encode(r, half) | (hour >= 12 ? HOURS_PM : 0));
}

static uint32_t decode_hour(const struct vmm_rtc *r, uint8_t value)
{
	if (r->bytes[REG_B] & B_24_HOUR)
		return decode(r, value) % 24;
	return decode(r, value & ~HOURS_PM & 0xff) % 12 + (value & HOURS_PM ? 12 : 0);
}

static void write_time(struct vmm_rtc *r, struct moment m)
{
	uint32_t second = (uint32_t)(m.seconds % DAY), day = (uint32_t)(m.seconds / DAY);
	struct date d = date_of(day);

	r->bytes[SECONDS] = encode(r, second % 60);
	r->bytes[MINUTES] = encode(r, second / 60 % 60);
	r->bytes[HOURS] = encode_hour(r, second / 3600);
	r->bytes[WEEKDAY] = encode(r, (day + 6) % 7 + 1); /* Sunday is 1; day 0 was a Saturday */
	r->bytes[MONTHDAY] = encode(r, d.day);
	r->bytes[MONTH] = encode(r, d.month);
	r->bytes[YEAR] = encode(r, d.year % 100);
	r->bytes[CENTURY] = encode(r, d.year / 100);
}

/* What is no date is made one; the day of the week is the date's. */
static uint64_t read_time(const struct vmm_rtc *r)
{
	uint32_t most;
	struct date d = {
		.year = decode(r, r->bytes[CENTURY]) % 100 * 100 + decode(r, r->bytes[YEAR]) % 100,
		.month = (decode(r, r->bytes[MONTH]) + 11) % 12 + 1,
		.day = decode(r, r->bytes[MONTHDAY]),
	};

	most = month_days(d.year, d.month);
	d.day = d.day < 1 ? 1 : d.day > most ? most : d.day;
	return (uint64_t)day_of(&d) * DAY + decode_hour(r, r->bytes[HOURS]) * 3600 +
	       decode(r, r->bytes[MINUTES]) % 60 * 60 + decode(r, r->bytes[SECONDS]) % 60;
}

/* --- flags --- */

/* "Alarm Bytes": 0xc0 to 0xff match everything. */
static bool matches(uint8_t alarm, uint8_t value)
{
	return (alarm & 0xc0) == 0xc0 || alarm == value;
}

static bool can_match(const struct vmm_rtc *r, uint8_t alarm, uint32_t values)
{
	for (uint32_t i = 0; i < values; i++) {
		if (matches(alarm, values == 24 ? encode_hour(r, i) : encode(r, i)))
			return true;
	}
	return false;
}

/* The first second after @seconds at which the alarm goes off. At most one round of each field. */
static uint64_t next_alarm(const struct vmm_rtc *r, uint64_t seconds)
{
	uint64_t t = seconds + 1;

	if (!can_match(r, r->bytes[HOURS_ALARM], 24) ||
	    !can_match(r, r->bytes[MINUTES_ALARM], 60) ||
	    !can_match(r, r->bytes[SECONDS_ALARM], 60))
		return NEVER;
	for (;;) {
		uint32_t second = (uint32_t)(t % DAY);

		if (!matches(r->bytes[HOURS_ALARM], encode_hour(r, second / 3600)))
			t += 3600 - second % 3600;
		else if (!matches(r->bytes[MINUTES_ALARM], encode(r, second / 60 % 60)))
			t += 60 - second % 60;
		else if (!matches(r->bytes[SECONDS_ALARM], encode(r, second % 60)))
			t++;
		else
			return t;
	}
}

/* "Register A", table 5: the period is so many ticks of 32,768 Hz, as a power of two; 0: none. */
static uint32_t rate_shift(const struct vmm_rtc *r)
{
	uint32_t rate = r->bytes[REG_A] & A_RATE;

	if (FIELD_GET(A_DIVIDER, r->bytes[REG_A]) != DIVIDER_ON || rate == 0)
		return 0;
	return rate < 3 ? rate + 6 : rate - 1;
}

static uint64_t ticks(struct moment m)
{
	return m.seconds * 32768 + (uint64_t)m.ns * 32768 / SECOND;
}

static uint8_t new_flags(const struct vmm_rtc *r, struct moment m)
{
	uint32_t shift = rate_shift(r), flags = 0;

	if (shift != 0 && ticks(r->now) >> shift != ticks(m) >> shift)
		flags |= C_PF;
	if (is_frozen(r) || r->now.seconds == m.seconds)
		return (uint8_t)flags;
	if (next_alarm(r, r->now.seconds) <= m.seconds)
		flags |= C_AF;
	return (uint8_t)(flags | C_UF);
}

static uint64_t ns_until(struct moment from, uint64_t seconds)
{
	/* None is further than a day. */
	return (seconds - from.seconds) * SECOND - from.ns;
}

static uint64_t next_period(const struct vmm_rtc *r, struct moment m)
{
	uint64_t ahead =
		(UINT64_C(1) << rate_shift(r)) - (ticks(m) & ((UINT64_C(1) << rate_shift(r)) - 1));
	uint64_t tick = ticks(m) % 32768 + ahead; /* of this second, or into the next */

	return (tick * SECOND + 32767) / 32768 - m.ns;
}

/* When the next interrupt is due. One that waits to be read needs no other. */
static uint64_t deadline(const struct vmm_rtc *r)
{
	const struct moment m = r->now;
	uint32_t wanted = r->bytes[REG_B] & ~(uint32_t)r->bytes[REG_C];
	uint64_t alarm, ns = NEVER;

	if (r->level)
		return VMM_FOREVER;
	if ((wanted & B_PIE) && rate_shift(r) != 0)
		ns = next_period(r, m);
	if (!is_frozen(r) && (wanted & B_UIE) && SECOND - m.ns < ns)
		ns = SECOND - m.ns;
	if (!is_frozen(r) && (wanted & B_AIE)) {
		alarm = next_alarm(r, m.seconds);
		if (alarm != NEVER && ns_until(m, alarm) < ns)
			ns = ns_until(m, alarm);
	}
	return ns == NEVER ? VMM_FOREVER : r->now_ns + ns;
}

/* Gives the flags that have come meanwhile. Clocks of processors may differ by a little. */
static uint8_t advance(struct vmm_rtc *r)
{
	uint64_t ns = r->host->time_ns(r->host->opaque);
	struct moment m;
	uint8_t flags;

	if (ns <= r->now_ns)
		return 0;
	m = later(r->now, ns - r->now_ns);
	flags = new_flags(r, m);
	r->now = m;
	r->now_ns = ns;
	return flags;
}

/* Bring flags, line and timer up to now. */
static void update(struct vmm_rtc *r)
{
	uint64_t due;
	uint32_t level;

	r->bytes[REG_C] |= advance(r);
	level = (r->bytes[REG_C] & r->bytes[REG_B] & (B_PIE | B_AIE | B_UIE)) != 0;
	r->bytes[REG_C] = (uint8_t)((r->bytes[REG_C] & ~C_IRQF) | (level ? C_IRQF : 0));
	if (level != r->level) {
		r->level = level;
		r->config.irq(r->config.opaque, level);
	}
	due = deadline(r);
	if (due == r->deadline_ns)
		return;
	r->deadline_ns = due;
	r->config.timer(r->config.opaque, due);
}

/* --- ports --- */

static bool is_time(uint32_t index)
{
	return index == SECONDS || index == MINUTES || index == HOURS ||
	       (index >= WEEKDAY && index <= YEAR) || index == CENTURY;
}

static uint8_t read_byte(struct vmm_rtc *r, uint32_t index)
{
	uint8_t value;

	if (is_time(index) && !is_frozen(r))
		write_time(r, r->now);
	value = r->bytes[index];
	if (index == REG_A && !is_frozen(r) && SECOND - r->now.ns <= UPDATE_NS)
		value |= A_UIP;
	if (index == REG_D)
		value = D_VRT;
	if (index == REG_C)
		r->bytes[REG_C] = 0; /* "Register C": all are cleared */
	return value;
}

/* Registers A and B say whether the clock runs, and how it is written. */
static void write_control(struct vmm_rtc *r, uint32_t index, uint8_t value)
{
	bool frozen = is_frozen(r);

	if (!frozen)
		write_time(r, r->now);
	/* "DV2, DV1, DV0": the first update comes half a second after the divider starts. */
	if (index == REG_A && FIELD_GET(A_DIVIDER, r->bytes[REG_A]) != DIVIDER_ON &&
	    FIELD_GET(A_DIVIDER, value) == DIVIDER_ON)
		r->now.ns = SECOND / 2;
	/* "SET" clears UIE. */
	if (index == REG_B && (value & B_SET))
		value &= ~B_UIE & 0xff;
	r->bytes[index] = index == REG_A ? value & ~A_UIP & 0xff : value;
	if (frozen && !is_frozen(r))
		r->now.seconds = read_time(r);
}

static void write_byte(struct vmm_rtc *r, uint32_t index, uint8_t value)
{
	if (index == REG_A || index == REG_B) {
		write_control(r, index, value);
	} else if (index == REG_C || index == REG_D) {
		return;
	} else if (is_time(index) && !is_frozen(r)) {
		write_time(r, r->now);
		r->bytes[index] = value;
		r->now.seconds = read_time(r);
	} else {
		r->bytes[index] = value;
	}
}

static int rtc_read(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		    uint64_t *value)
{
	struct vmm_rtc *r = opaque;

	(void)vcpu;
	*value = 0;
	vmm__lock(r->host, &r->lock);
	for (uint32_t i = 0; i < width; i++) {
		uint8_t byte = 0xff; /* the index cannot be read */

		update(r);
		if (offset + i == 1)
			byte = read_byte(r, r->index);
		*value |= (uint64_t)byte << 8 * i;
	}
	update(r);
	vmm__unlock(r->host, &r->lock);
	return 0;
}

static int rtc_write(void *opaque, struct vmm_vcpu *vcpu, uint64_t offset, uint32_t width,
		     uint64_t value)
{
	struct vmm_rtc *r = opaque;

	(void)vcpu;
	vmm__lock(r->host, &r->lock);
	for (uint32_t i = 0; i < width; i++) {
		uint8_t byte = (uint8_t)(value >> 8 * i);

		update(r);
		if (offset + i == 0)
			r->index =
				byte % VMM_RTC_BYTES; /* bit 7 masks the NMI, which there is none */
		else
			write_byte(r, r->index, byte);
	}
	update(r);
	vmm__unlock(r->host, &r->lock);
	return 0;
}

const struct vmm_region_ops *vmm_rtc_ops(void)
{
	static const struct vmm_region_ops ops = {
		.size = sizeof(ops), .read = rtc_read, .write = rtc_write};

	return &ops;
}

void vmm_rtc_tick(struct vmm_rtc *rtc)
{
	vmm__lock(rtc->host, &rtc->lock);
	update(rtc);
	vmm__unlock(rtc->host, &rtc->lock);
}

int vmm_rtc_store(struct vmm_rtc *rtc, uint32_t index, uint32_t value)
{
	if (index < MEMORY || index >= VMM_RTC_BYTES || index == CENTURY || value > 0xff)
		return -VMM_ERANGE;
	vmm__lock(rtc->host, &rtc->lock);
	rtc->bytes[index] = (uint8_t)value;
	vmm__unlock(rtc->host, &rtc->lock);
	return 0;
}

/* --- life --- */

/* "RESET" */
void vmm_rtc_reset(struct vmm_rtc *rtc)
{
	vmm__lock(rtc->host, &rtc->lock);
	rtc->bytes[REG_B] &= ~(B_PIE | B_AIE | B_UIE | B_SQWE) & 0xff;
	rtc->bytes[REG_C] = 0;
	rtc->index = 0;
	advance(rtc);
	update(rtc);
	vmm__unlock(rtc->host, &rtc->lock);
}

int vmm_rtc_create(const struct vmm_host *host, const struct vmm_rtc_config *config,
		   struct vmm_rtc **rtc)
{
	struct vmm_rtc_config c;
	uint64_t wall = 0;
	struct vmm_rtc *r;

	*rtc = NULL;
	if (vmm__take_struct(&c, sizeof(c), config) != 0 || c.flags != 0 || c.irq == NULL ||
	    c.timer == NULL)
		return -VMM_EINVAL;
	r = host->alloc(host->opaque, sizeof(*r), _Alignof(struct vmm_rtc));
	if (r == NULL)
		return -VMM_ENOMEM;
	r->host = host;
	r->config = c;
	r->deadline_ns = VMM_FOREVER;
	/* As a PC's firmware leaves them: running, 1,024 Hz chosen, BCD, 24 hours. */
	r->bytes[REG_A] = DIVIDER_ON << 4 | 6;
	r->bytes[REG_B] = B_24_HOUR;
	if (host->wall_ns != NULL)
		wall = host->wall_ns(host->opaque);
	r->now = (struct moment){(uint64_t)DAYS_1970 * DAY + wall / SECOND,
				 (uint32_t)(wall % SECOND)};
	r->now_ns = host->time_ns(host->opaque);
	*rtc = r;
	return 0;
}

void vmm_rtc_destroy(struct vmm_rtc *rtc)
{
	if (rtc != NULL)
		rtc->host->free(rtc->host->opaque, rtc, sizeof(*rtc));
}

int vmm_rtc_get_state(struct vmm_rtc *rtc, struct vmm_rtc_state *state)
{
	if (state == NULL || state->size != sizeof(*state))
		return -VMM_EINVAL;
	vmm__lock(rtc->host, &rtc->lock);
	update(rtc);
	if (!is_frozen(rtc))
		write_time(rtc, rtc->now);
	state->version = VMM_RTC_STATE_VERSION;
	state->seconds = rtc->now.seconds;
	state->fraction = rtc->now.ns;
	state->index = rtc->index;
	memcpy(state->bytes, rtc->bytes, sizeof(state->bytes));
	vmm__unlock(rtc->host, &rtc->lock);
	return 0;
}

int vmm_rtc_set_state(struct vmm_rtc *rtc, const struct vmm_rtc_state *state)
{
	if (state == NULL || state->size != sizeof(*state) ||
	    state->version != VMM_RTC_STATE_VERSION)
		return -VMM_EINVAL;
	if (state->seconds >= YEARS_END || state->fraction >= SECOND ||
	    state->index >= VMM_RTC_BYTES)
		return -VMM_ERANGE;
	vmm__lock(rtc->host, &rtc->lock);
	memcpy(rtc->bytes, state->bytes, sizeof(rtc->bytes));
	rtc->bytes[REG_A] &= ~A_UIP & 0xff;
	rtc->bytes[REG_C] &= C_PF | C_AF | C_UF;
	rtc->index = (uint8_t)state->index;
	rtc->now = (struct moment){state->seconds, state->fraction};
	rtc->now_ns = rtc->host->time_ns(rtc->host->opaque);
	update(rtc);
	vmm__unlock(rtc->host, &rtc->lock);
	return 0;
}
