// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Dates are those of the Gregorian calendar, counted in days from 1970-01-01. */
#include "uefi_clock.h"
#include "mem.h"

#define NS_PER_S   INT64_C(1000000000)
#define S_PER_DAY  86400
#define ZONE_LIMIT 1440
#define DAYLIGHT   3u /* EFI_TIME_ADJUST_DAYLIGHT, EFI_TIME_IN_DAYLIGHT */

/* Years that struct efi_time can hold; the greatest offsets in nanoseconds are in int64_t. */
#define YEAR_FIRST 1900
#define YEAR_LAST  2261

/* The calendar repeats every 400 years; counted from March, a leap day is a year's last. */
#define DAYS_400  146097
#define DAYS_100  36524
#define DAYS_4    1461
#define DAYS_1970 719468 /* from 0000-03-01 to 1970-01-01 */

static int64_t days_of(uint32_t year, uint32_t month, uint32_t day)
{
	const uint32_t from_march = (month + 9) % 12;
	const uint32_t y = year - (month <= 2);

	/* 153 days in every five months from March on */
	return (int64_t)y * 365 + y / 4 - y / 100 + y / 400 + (153 * from_march + 2) / 5 + day - 1 -
	       DAYS_1970;
}

static void date_of(int64_t days, struct efi_time *time)
{
	const uint32_t d = (uint32_t)(days + DAYS_1970);
	const uint32_t era = d / DAYS_400, in_era = d % DAYS_400;
	const uint32_t year =
		(in_era - in_era / (DAYS_4 - 1) + in_era / DAYS_100 - in_era / (DAYS_400 - 1)) /
		365;
	const uint32_t in_year = in_era - (365 * year + year / 4 - year / 100);
	const uint32_t from_march = (5 * in_year + 2) / 153;

	time->day = (uint8_t)(in_year - (153 * from_march + 2) / 5 + 1);
	time->month = (uint8_t)(from_march < 10 ? from_march + 3 : from_march - 9);
	time->year = (uint16_t)(era * 400 + year + (time->month <= 2));
}

static uint32_t month_days(uint32_t year, uint32_t month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const uint32_t leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 ? leap : 0);
}

static int is_valid(const struct efi_time *t)
{
	return t->year >= YEAR_FIRST && t->year <= YEAR_LAST && t->month >= 1 && t->month <= 12 &&
	       t->day >= 1 && t->day <= month_days(t->year, t->month) && t->hour < 24 &&
	       t->minute < 60 && t->second < 60 && t->nanosecond < NS_PER_S &&
	       (t->timezone == EFI_TIMEZONE_UNSPECIFIED ||
		(t->timezone >= -ZONE_LIMIT && t->timezone <= ZONE_LIMIT)) &&
	       (t->daylight & ~DAYLIGHT) == 0;
}

/* Negative where the host has no clock; host times end in 2262. */
static int64_t host_ns(const struct vmm_host *host)
{
	const uint64_t now = host->wall_ns != NULL ? host->wall_ns(host->opaque) : UINT64_MAX;

	return now <= INT64_MAX ? (int64_t)now : -1;
}

void vmm__uefi_clock_init(struct vmm__uefi_clock *clock)
{
	*clock = (struct vmm__uefi_clock){.timezone = EFI_TIMEZONE_UNSPECIFIED};
}

uint64_t vmm__uefi_clock_get(const struct vmm__uefi_clock *clock, const struct vmm_host *host,
			     struct efi_time *time)
{
	const int64_t now = host_ns(host);
	int64_t local, seconds, days;
	uint32_t in_day;

	if (now < 0)
		return EFI_UNSUPPORTED;
	if (__builtin_add_overflow(now, clock->offset_ns, &local))
		return EFI_DEVICE_ERROR;
	seconds = local / NS_PER_S - (local % NS_PER_S < 0);
	days = seconds / S_PER_DAY - (seconds % S_PER_DAY < 0);
	in_day = (uint32_t)(seconds - days * S_PER_DAY);
	memset(time, 0, sizeof(*time));
	date_of(days, time);
	time->hour = (uint8_t)(in_day / 3600);
	time->minute = (uint8_t)(in_day / 60 % 60);
	time->second = (uint8_t)(in_day % 60);
	time->nanosecond = (uint32_t)(local - seconds * NS_PER_S);
	time->timezone = clock->timezone;
	time->daylight = clock->daylight;
	return EFI_SUCCESS;
}

uint64_t vmm__uefi_clock_set(struct vmm__uefi_clock *clock, const struct vmm_host *host,
			     const struct efi_time *time)
{
	const int64_t now = host_ns(host);
	int64_t seconds, local;

	if (now < 0)
		return EFI_UNSUPPORTED;
	if (!is_valid(time))
		return EFI_INVALID_PARAMETER;
	seconds = days_of(time->year, time->month, time->day) * S_PER_DAY + time->hour * 3600 +
		  time->minute * 60 + time->second;
	local = seconds * NS_PER_S + time->nanosecond;
	if (__builtin_sub_overflow(local, now, &clock->offset_ns))
		return EFI_INVALID_PARAMETER;
	clock->timezone = time->timezone;
	clock->daylight = time->daylight;
	return EFI_SUCCESS;
}
