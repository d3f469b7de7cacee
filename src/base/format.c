// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "format.h"

#include <stdbool.h>

struct out {
	char *buf;
	size_t size;
	size_t len;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_number(struct out *o, uint64_t v, unsigned base, bool minus, unsigned width,
		       char pad)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v != 0);
	if (minus && pad == '0')
		put(o, '-');
	for (unsigned used = n + (minus ? 1 : 0); used < width; used++)
		put(o, pad);
	if (minus && pad != '0')
		put(o, '-');
	while (n > 0)
		put(o, digits[--n]);
}

static void put_signed(struct out *o, int64_t v, unsigned width, char pad)
{
	put_number(o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, v < 0, width, pad);
}

size_t vmm__vformat(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = {buf, size, 0};

	for (; *fmt != '\0'; fmt++) {
		unsigned width = 0;
		char pad = ' ';
		bool wide = false;

		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		fmt++;
		if (*fmt == '0')
			pad = '0';
		for (; *fmt >= '0' && *fmt <= '9' && width < 100; fmt++)
			width = width * 10 + (unsigned)(*fmt - '0');
		if (fmt[0] == 'l' && fmt[1] == 'l') {
			wide = true;
			fmt += 2;
		}
		switch (*fmt) {
		case 'd':
			put_signed(&o, wide ? va_arg(ap, long long) : va_arg(ap, int), width, pad);
			break;
		case 'u':
		case 'x':
			put_number(&o, wide ? va_arg(ap, unsigned long long) : va_arg(ap, unsigned),
				   *fmt == 'u' ? 10 : 16, false, width, pad);
			break;
		case 's':
			for (const char *s = va_arg(ap, const char *); s != NULL && *s != '\0'; s++)
				put(&o, *s);
			break;
		case 'c':
			put(&o, (char)va_arg(ap, int));
			break;
		case '%':
			put(&o, '%');
			break;
		default:
			goto end;
		}
	}
end:
	if (size > 0)
		buf[o.len < size ? o.len : size - 1] = '\0';
	return o.len;
}

size_t vmm__format(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	size_t len = vmm__vformat(buf, size, fmt, ap);
	va_end(ap);
	return len;
}

int vmm__fail(struct vmm_error *error, int code, const char *call, int64_t host_error,
	      const char *fmt, ...)
{
	va_list ap;

	if (error == NULL)
		return code;
	error->code = code;
	error->host_error = host_error;
	vmm__format(error->call, sizeof(error->call), "%s", call);
	va_start(ap, fmt);
	vmm__vformat(error->text, sizeof(error->text), fmt, ap);
	va_end(ap);
	return code;
}
