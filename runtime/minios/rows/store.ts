/** The store: what xenbus.c and xs.c of the sysroot are made of. */
import { row } from '../row.ts';

export const storeRows = {
  // One message (xen/io/xs_wire.h); `reply` has room for 4096 bytes. The reply's length; its type in *reply_type.
  minios_store_request: row(
    'int minios_store_request(int type, uint32_t transaction, const void *payload, size_t length, void *reply, uint32_t *reply_type)',
    ({ store }, type, transaction, address, length, reply, replyType) =>
      store.request({ type, transaction }, { address, length }, reply, replyType),
  ),
  // Waits for an event of a watch: path and token, each with its NUL; `event` has room for 4096 bytes.
  minios_store_event: row('int minios_store_event(char *event)', ({ store }, event) =>
    store.nextEvent(event),
  ),
} as const;
