/* Hypercalls that are not for a domain without privileges, and numbers that none has. */
#include "pv.h"
#include <xen/physdev.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/nmi.h>
#include <xen/callback.h>

static char buffer[4096] PAGE;

static void zeroes(const char *name, unsigned number)
{
	memset(buffer, 0, sizeof buffer);
	print("%s: %ld", name, hypercall(number, 0, 0, 0, 0, 0));
	print(" %ld", hypercall(number, 0, (unsigned long)buffer, 0, 0, 0));
	print(" %ld", hypercall(number, (unsigned long)buffer, 0, 0, 0, 0));
	print(" %ld\n", hypercall(number, 77, (unsigned long)buffer, 1, 0, 0));
}

static void control(const char *name, unsigned number, uint32_t version)
{
	uint32_t *words = (uint32_t *)buffer;
	for (unsigned command = 1; command < 4; command++) {
		memset(buffer, 0, sizeof buffer);
		words[0] = command;
		words[1] = version;
		print("%s %u of version %x: %ld\n", name, command, version, hypercall(number, (unsigned long)buffer, 0, 0, 0, 0));
	}
}

static void hvm(int number)
{
	struct xen_hvm_param param = { .domid = DOMID_SELF, .index = HVM_PARAM_STORE_EVTCHN };
	long self = CALL2(hvm_op, number, &param);
	param.domid = 77;
	long nobody = CALL2(hvm_op, number, &param);
	param.domid = 0;
	print("hvm_op %d: %ld, nobody's %ld, dom0's %ld\n", number, self, nobody,
	      CALL2(hvm_op, number, &param));
}

void run(void)
{
	print("-- consoles\n");
	static const char text[] = "text";
	SHOW(CALL3(console_io, CONSOLEIO_write, 4, text));
	SHOW(CALL3(console_io, CONSOLEIO_read, 4, buffer));
	SHOW(CALL3(console_io, 2, 4, buffer));
	SHOW(CALL3(console_io, -1, 4, buffer));

	print("-- hardware\n");
	for (int number = 0; number < 34; number++) {
		memset(buffer, 0, sizeof buffer);
		print("physdev_op %d: %ld\n", number, CALL2(physdev_op, number, buffer));
	}
	struct physdev_set_iopl iopl = { .iopl = 4 };
	SHOW(CALL2(physdev_op, PHYSDEVOP_set_iopl, &iopl));
	iopl.iopl = 1;
	SHOW(CALL2(physdev_op, PHYSDEVOP_set_iopl, &iopl));
	struct physdev_set_iobitmap bitmap = { .nr_ports = 65537 };
	SHOW(CALL2(physdev_op, PHYSDEVOP_set_iobitmap, &bitmap));
	SHOW_BAD(CALL2(physdev_op, PHYSDEVOP_set_iopl, BAD));
	SHOW_BAD(CALL2(physdev_op, PHYSDEVOP_eoi, BAD));
	SHOW(CALL2(physdev_op, 99, buffer));
	SHOW(CALL1(physdev_op_compat, buffer));
	for (int number = 0; number < 27; number++)
		if (number != 5)
			hvm(number);
	hvm(99);

	print("-- others\n");
	SHOW(CALL2(nmi_op, XENNMI_unregister_callback, 0));
	SHOW(CALL2(nmi_op, 2, 0));
	SHOW(CALL2(nmi_op, 99, 0));
	SHOW_BAD(CALL2(nmi_op, XENNMI_register_callback, BAD));
	zeroes("xsm_op", __HYPERVISOR_xsm_op);
	zeroes("kexec_op", __HYPERVISOR_kexec_op);
	zeroes("tmem_op", __HYPERVISOR_tmem_op);
	zeroes("argo_op", __HYPERVISOR_argo_op);
	zeroes("xenpmu_op", __HYPERVISOR_xenpmu_op);
	zeroes("dm_op", __HYPERVISOR_dm_op);
	zeroes("hypfs_op", __HYPERVISOR_hypfs_op);
	control("domctl", __HYPERVISOR_domctl, 0x14);
	control("domctl", __HYPERVISOR_domctl, 0x15);
	control("sysctl", __HYPERVISOR_sysctl, 0x14);
	control("sysctl", __HYPERVISOR_sysctl, 0x15);
	control("platform_op", __HYPERVISOR_platform_op, 0);
	control("platform_op", __HYPERVISOR_platform_op, 0x03000001);
	zeroes("number 11", 11);
	for (unsigned number = 43; number < 48; number++)
		print("number %u: %ld\n", number, hypercall(number, 0, 0, 0, 0, 0));
	for (unsigned number = 56; number < 66; number++)
		print("number %u: %ld\n", number, hypercall(number, 0, 0, 0, 0, 0));
}
