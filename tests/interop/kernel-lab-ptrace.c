/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into User-mode Linux by kernel-lab where the processor has AMX.
 *
 * User-mode Linux of Debian 12 keeps 2696 bytes of floating point registers per process, which is enough for AVX-512. With AMX the
 * host's register set has 11 KB, and the host takes it back only as a whole (EFAULT, "ptrace set fp regs failed"). So the tail,
 * which no guest uses, is read from the process and written back with what User-mode Linux knows of.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

typedef long ptrace_function(long request, ...);

long ptrace(enum __ptrace_request request, ...)
{
	static ptrace_function *real;
	static _Alignas(64) char all[65536]; /* User-mode Linux has one thread per process that traces */
	struct iovec whole = {all, sizeof(all)}, *part;
	void *address, *data;
	va_list args;
	int pid;

	va_start(args, request);
	pid = va_arg(args, int);
	address = va_arg(args, void *);
	data = va_arg(args, void *);
	va_end(args);
	if (!real)
		real = (ptrace_function *)dlsym(RTLD_NEXT, "ptrace");
	if (request != PTRACE_SETREGSET || (long)address != NT_X86_XSTATE)
		return real(request, pid, address, data);
	part = data;
	if (real(PTRACE_GETREGSET, pid, address, &whole))
		return -1;
	if (part->iov_len < whole.iov_len)
		memcpy(all, part->iov_base, part->iov_len);
	else
		whole = *part;
	return real(PTRACE_SETREGSET, pid, address, &whole);
}
