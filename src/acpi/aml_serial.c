// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Connections to serial buses: I2C, SPI, UART. ACPI 6.5, 6.4.3.8.2. */
#include "aml_emit.h"

#define TAG      0x8e
#define CONSUMER 0x02

static size_t length_of(const char *text)
{
	size_t n = 0;

	while (text[n] != '\0')
		n++;
	return n;
}

/* All of it but what is the bus's own: @own bytes, which follow, and then the source. */
static bool begin(struct vmm_aml *a, uint8_t bus, uint8_t flags, uint16_t bus_flags, uint16_t own,
		  const char *source)
{
	size_t len = 9 + (size_t)own + length_of(source) + 1;

	if (len > 0xffff)
		vmm__aml_fail(a, VMM_ERANGE);
	vmm__aml_term(a, TAG, FILLS_RESOURCE, 0);
	vmm__sink_int(&a->out, len, 2);
	vmm__aml_u8(a, 2); /* revision */
	vmm__aml_u8(a, 0); /* index of the source */
	vmm__aml_u8(a, bus);
	vmm__aml_u8(a, flags | CONSUMER);
	vmm__sink_int(&a->out, bus_flags, 2);
	vmm__aml_u8(a, 1); /* revision of what is the bus's own */
	vmm__sink_int(&a->out, own, 2);
	return vmm_aml_error(a) == 0;
}

static int finish(struct vmm_aml *a, const char *source)
{
	vmm__sink_put(&a->out, source, length_of(source) + 1);
	return vmm_aml_error(a);
}

static bool are_flags(uint8_t flags)
{
	return (flags & ~(VMM_AML_SERIAL_DEVICE | VMM_AML_SERIAL_SHARED)) == 0;
}

int vmm_aml_res_i2c(struct vmm_aml *a, uint8_t flags, uint16_t address, uint8_t wide, uint32_t hz,
		    const char *source)
{
	if (source == NULL || !are_flags(flags) || wide > 1 || address >= (wide ? 0x400 : 0x80))
		return vmm__aml_fail(a, VMM_EINVAL);
	if (!begin(a, 1, flags, wide, 6, source))
		return vmm_aml_error(a);
	vmm__sink_int(&a->out, hz, 4);
	vmm__sink_int(&a->out, address, 2);
	return finish(a, source);
}

int vmm_aml_res_spi(struct vmm_aml *a, const struct vmm_aml_spi *spi, const char *source)
{
	if (spi == NULL || source == NULL || spi->size != sizeof(*spi) || !are_flags(spi->flags) ||
	    spi->phase > 1 || spi->polarity > 1 || spi->three_wire > 1 || spi->active_high > 1)
		return vmm__aml_fail(a, VMM_EINVAL);
	if (!begin(a, 2, spi->flags, (uint16_t)(spi->three_wire | spi->active_high << 1), 9,
		   source))
		return vmm_aml_error(a);
	vmm__sink_int(&a->out, spi->hz, 4);
	vmm__aml_u8(a, spi->bits);
	vmm__aml_u8(a, spi->phase);
	vmm__aml_u8(a, spi->polarity);
	vmm__sink_int(&a->out, spi->select, 2);
	return finish(a, source);
}

static bool is_uart(const struct vmm_aml_uart *u)
{
	return u->size == sizeof(*u) && are_flags(u->flags) && u->data_bits >= 5 &&
	       u->data_bits <= 9 && u->stop_bits <= 3 && u->parity <= 4 && u->flow <= 2 &&
	       (u->lines & 3) == 0 && u->big_endian <= 1 && u->reserved == 0;
}

int vmm_aml_res_uart(struct vmm_aml *a, const struct vmm_aml_uart *u, const char *source)
{
	uint16_t bus_flags;

	if (u == NULL || source == NULL || !is_uart(u))
		return vmm__aml_fail(a, VMM_EINVAL);
	bus_flags = (uint16_t)(u->flow | u->stop_bits << 2 | (u->data_bits - 5) << 4 |
			       u->big_endian << 7);
	if (!begin(a, 3, u->flags, bus_flags, 10, source))
		return vmm_aml_error(a);
	vmm__sink_int(&a->out, u->baud, 4);
	vmm__sink_int(&a->out, u->rx_fifo, 2);
	vmm__sink_int(&a->out, u->tx_fifo, 2);
	vmm__aml_u8(a, u->parity);
	vmm__aml_u8(a, u->lines);
	return finish(a, source);
}
