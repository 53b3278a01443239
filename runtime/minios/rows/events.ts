/** Event channels: mini-os/events.h, and the mask bits of mini-os/hypervisor.h. */
import { errnoRow, row } from '../row.ts';

export const eventRows = {
  // The handler runs with the port, NULL for the registers, and its data, once the port is unmasked. Answers the port.
  bind_evtchn: row(
    'evtchn_port_t bind_evtchn(evtchn_port_t port, evtchn_handler_t handler, void *data)',
    ({ events }, port, handler, data) => events.bind(port, handler, data),
  ),
  // -1, as a port, where it cannot be bound.
  bind_virq: row(
    'evtchn_port_t bind_virq(uint32_t virq, evtchn_handler_t handler, void *data)',
    ({ events }, virq, handler, data) => events.bindVirq(virq, handler, data),
  ),
  unbind_evtchn: row('void unbind_evtchn(evtchn_port_t port)', ({ events }, port) => {
    events.unbind(port);
    return undefined;
  }),
  unbind_all_ports: row('void unbind_all_ports(void)', ({ events }) => {
    events.unbindAll();
    return undefined;
  }),
  evtchn_alloc_unbound: errnoRow(
    'int evtchn_alloc_unbound(domid_t pal, evtchn_handler_t handler, void *data, evtchn_port_t *port)',
    ({ events, memory }, pal, handler, data, result) => {
      memory.checkWritable(result, 4);
      memory.writeU32(result, events.allocateUnbound(pal, handler, data));
      return 0;
    },
  ),
  evtchn_bind_interdomain: errnoRow(
    'int evtchn_bind_interdomain(domid_t pal, evtchn_port_t remote_port, evtchn_handler_t handler, void *data, evtchn_port_t *local_port)',
    ({ events, memory }, pal, remote, handler, data, result) => {
      memory.checkWritable(result, 4);
      memory.writeU32(result, events.bindInterdomain(pal, remote, handler, data));
      return 0;
    },
  ),
  notify_remote_via_evtchn: errnoRow(
    'int notify_remote_via_evtchn(evtchn_port_t port)',
    ({ events }, port) => {
      events.notify(port);
      return 0;
    },
  ),
  mask_evtchn: row('void mask_evtchn(uint32_t port)', ({ events }, port) => {
    events.mask(port);
    return undefined;
  }),
  unmask_evtchn: row('void unmask_evtchn(uint32_t port)', ({ events }, port) => {
    events.unmask(port);
    return undefined;
  }),
  clear_evtchn: row('void clear_evtchn(uint32_t port)', ({ events }, port) => {
    events.clear(port);
    return undefined;
  }),
} as const;
