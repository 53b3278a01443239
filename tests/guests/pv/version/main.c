/* xen_version: what each operation answers, and what Xen says of itself. */
#include "pv.h"

static char buffer[4096] PAGE;

static void text(const char *name, int number, unsigned size)
{
	memset(buffer, 0x55, sizeof buffer);
	int result = CALL2(xen_version, number, buffer);
	unsigned end = 0;
	while (end < size && buffer[end])
		end++;
	unsigned written = size;
	while (written > 0 && buffer[written - 1] == 0x55)
		written--;
	print("%s: %d, %u bytes written, then %x", name, result, written, buffer[size] & 0xff);
	if (end < size)
		print(": %s", buffer);
	print("\n");
}

/* Not what it says, which differs from build to build. */
static void about(const char *name, int number, unsigned size)
{
	memset(buffer, 0x55, sizeof buffer);
	int result = CALL2(xen_version, number, buffer);
	print("%s: %d, then %x, ended %d\n", name, result, buffer[size] & 0xff,
	      buffer[size - 1] == 0);
}

static int contains(const char *text, const char *part, unsigned length)
{
	for (; *text; text++)
		if (memcmp(text, part, length) == 0)
			return 1;
	return 0;
}

static void features(unsigned submap)
{
	struct xen_feature_info info = { .submap_idx = submap, .submap = 77 };
	int result = CALL2(xen_version, XENVER_get_features, &info);
	print("features %u: %d %x\n", submap, result, info.submap);
}

void run(void)
{
	print("version %x\n", (unsigned)CALL2(xen_version, XENVER_version, 0));
	print("version with a bad pointer %x\n", (unsigned)CALL2(xen_version, XENVER_version, -64));
	text("extraversion", XENVER_extraversion, 16);
	memset(buffer, 0x55, sizeof buffer);
	struct xen_compile_info *info = (void *)buffer;
	int result = CALL2(xen_version, XENVER_compile_info, buffer);
	print("compile_info: %d, then %x\n", result, buffer[sizeof *info] & 0xff);
	print("ended: %d %d %d %d\n", info->compiler[63] == 0, info->compile_by[15] == 0,
	      info->compile_domain[31] == 0, info->compile_date[31] == 0);
	about("capabilities", XENVER_capabilities, 1024);
#ifdef __x86_64__
	print("runs 64-bit guests: %d\n", contains(buffer, "xen-3.0-x86_64 ", 15));
#else
	print("runs 32-bit guests: %d\n", contains(buffer, "xen-3.0-x86_32p ", 16));
#endif
	about("changeset", XENVER_changeset, 64);
	memset(buffer, 0x55, sizeof buffer);
	print("guest_handle: %ld, then %x\n", CALL2(xen_version, XENVER_guest_handle, buffer), buffer[16] & 0xff);
	text("commandline", XENVER_commandline, 1024);
	struct xen_platform_parameters parameters = { 0x5555 };
	result = CALL2(xen_version, XENVER_platform_parameters, &parameters);
	print("platform_parameters: %d %lx\n", result, parameters.virt_start);
	for (unsigned submap = 0; submap < 3; submap++)
		features(submap);
	features(-1);
	SHOW(CALL2(xen_version, XENVER_pagesize, 0));
	SHOW(CALL2(xen_version, XENVER_pagesize, buffer));
	SHOW(CALL2(xen_version, XENVER_build_id, 0));
	struct xen_build_id *id = (void *)buffer;
	for (unsigned length = 0; length <= 64; length += 16) {
		id->len = length;
		print("build_id of %u: %ld\n", length, CALL2(xen_version, XENVER_build_id, id));
	}
	for (int number = 11; number < 14; number++)
		print("operation %d: %ld\n", number, CALL2(xen_version, number, buffer));
	SHOW(CALL2(xen_version, -1, buffer));
	for (int number = 1; number < 11; number++)
		print("operation %d with a bad pointer: %ld\n", number,
		      CALL2(xen_version, number, BAD));
}
