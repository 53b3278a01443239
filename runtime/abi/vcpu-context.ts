/** xen/include/public/xen.h and arch-x86/xen.h, xen-x86_64.h and xen-x86_32.h: a vCPU as Xen's tools save and set it. */
import { array, byWidth, pointer, struct, u8, u16, u32 } from '../memory/layout.ts';
import { trap_info } from './xen.ts';

const registers64 = struct('cpu_user_regs', {
  ...{ r15: pointer, r14: pointer, r13: pointer, r12: pointer, rbp: pointer, rbx: pointer },
  ...{ r11: pointer, r10: pointer, r9: pointer, r8: pointer, rax: pointer, rcx: pointer },
  ...{ rdx: pointer, rsi: pointer, rdi: pointer, error_code: u32, entry_vector: u32 },
  ...{ rip: pointer, cs: u16, pad0: u16, saved_upcall_mask: u8, pad1: array(u8, 3) },
  ...{ rflags: pointer, rsp: pointer, ss: u16, pad2: array(u16, 3), es: u16, pad3: array(u16, 3) },
  ...{ ds: u16, pad4: array(u16, 3), fs: u16, pad5: array(u16, 3), gs: u16, pad6: array(u16, 3) },
});

const registers32 = struct('cpu_user_regs', {
  ...{ ebx: pointer, ecx: pointer, edx: pointer, esi: pointer, edi: pointer, ebp: pointer },
  ...{ eax: pointer, error_code: u16, entry_vector: u16, eip: pointer, cs: u16 },
  ...{ saved_upcall_mask: u8, pad0: u8, eflags: pointer, esp: pointer, ss: u16, pad1: u16 },
  ...{ es: u16, pad2: u16, ds: u16, pad3: u16, fs: u16, pad4: u16, gs: u16, pad5: u16 },
});

export const cpu_user_regs = { 64: registers64, 32: registers32 } as const;

/** Bits of vcpu_guest_context.flags. */
export const VGCF = {
  i387_valid: 1,
  in_kernel: 4,
  failsafe_disables_events: 8,
  syscall_disables_events: 16,
  online: 32,
} as const;

/** The same in both widths, up to where the callbacks differ; registers are read by cpu_user_regs. */
export const vcpu_guest_context = struct('vcpu_guest_context', {
  fpu_ctxt: array(u8, 512),
  flags: pointer,
  user_regs: byWidth({
    64: array(pointer, registers64.size(64) / 8),
    32: array(pointer, registers32.size(32) / 4),
  }),
  trap_ctxt: array(trap_info, 256),
  ldt_base: pointer,
  ldt_ents: pointer,
  gdt_frames: array(pointer, 16),
  gdt_ents: pointer,
  kernel_ss: pointer,
  kernel_sp: pointer,
  ctrlreg: array(pointer, 8),
  debugreg: array(pointer, 8),
  /** 64: event_callback_eip, failsafe_callback_eip, syscall_callback_eip; 32: cs and eip of event and failsafe. */
  callbacks: byWidth({ 64: array(pointer, 3), 32: array(pointer, 4) }),
  vm_assist: pointer,
  /** 64: fs_base, gs_base_kernel, gs_base_user. */
  bases: byWidth({ 64: array(pointer, 3), 32: array(pointer, 0) }),
});
