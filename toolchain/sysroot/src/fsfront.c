/*
 * mini-os/fs.h: requests on a ring, each with pages of its own that stay granted. What all calls have in common is `begin`, which
 * takes a request, and `finish`, which sends it and waits for its answer.
 */
#include "fsfront.h"

#include "front.h"
#include "linux-errno.h"

#include <errno.h>
#include <mini-os/events.h>
#include <mini-os/gnttab.h>
#include <mini-os/mm.h>
#include <mini-os/os.h>
#include <mini-os/sched.h>
#include <mini-os/wait.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_ORDER 3
#define REQUESTS 16
#define ENTRIES 64 /* what fits into a page, rounded down to a power of 2 */

static DECLARE_WAIT_QUEUE_HEAD(fsfront_queue);

static bool has_response(const struct fs_import *import) {
  return *(volatile RING_IDX *)&import->ring->rsp_prod != import->rsp_cons;
}

/* Takes what answers there are, and asks to be told of the next. */
static void take_responses(struct fs_import *import) {
  struct fsif_sring *ring = import->ring;
  do {
    for (; has_response(import); import->rsp_cons++) {
      rmb();
      struct fsif_response response = ring->ring[import->rsp_cons % ENTRIES].rsp;
      if (response.id >= REQUESTS)
        continue;
      import->requests[response.id].response = response;
      import->requests[response.id].state = FS_ANSWERED;
    }
    *(volatile RING_IDX *)&ring->rsp_event = import->rsp_cons + 1;
    mb();
  } while (has_response(import));
}

static void woken(evtchn_port_t port, struct pt_regs *regs, void *data) {
  (void)port, (void)regs, (void)data;
  wake_up(&fsfront_queue);
}

static struct fs_request *free_request(struct fs_import *import) {
  for (int i = 0; i < REQUESTS; i++)
    if (import->requests[i].state == FS_FREE)
      return &import->requests[i];
  return NULL;
}

/* Its pages are made when it is first used. */
static bool has_pages(struct fs_import *import, struct fs_request *request) {
  if (request->pages != NULL)
    return true;
  request->pages = (char *)alloc_pages(PAGES_ORDER);
  if (request->pages == NULL)
    return false;
  minios_grant_pages(import->dom_id, request->pages, FS_PAGES, 0, request->grefs);
  return true;
}

struct fs_request *minios_fs_begin(struct fs_import *import, int type) {
  struct fs_request *request;
  wait_event(fsfront_queue, (request = free_request(import)) != NULL);
  if (!has_pages(import, request))
    return NULL;
  request->state = FS_TAKEN;
  memset(&request->request, 0, sizeof request->request);
  request->request.type = (uint8_t)type;
  request->request.id = (uint16_t)(request - import->requests);
  return request;
}

void minios_fs_send(struct fs_import *import, struct fs_request *request) {
  struct fsif_sring *ring = import->ring;
  union fsif_sring_entry *entry = &ring->ring[import->req_prod % ENTRIES];
  memcpy(entry, &request->request, sizeof *entry);
  RING_IDX before = import->req_prod++;
  wmb();
  *(volatile RING_IDX *)&ring->req_prod = import->req_prod;
  mb();
  RING_IDX asked = *(volatile RING_IDX *)&ring->req_event;
  if (import->req_prod - asked < import->req_prod - before)
    notify_remote_via_evtchn(import->local_port);
}

/* Waits; the request is still the caller's afterwards. */
static void wait_for(struct fs_import *import, struct fs_request *request) {
  for (;;) {
    take_responses(import);
    if (request->state == FS_ANSWERED)
      return;
    wait_event(fsfront_queue, request->state == FS_ANSWERED || has_response(import));
  }
}

void minios_fs_release(struct fs_request *request) {
  request->state = FS_FREE;
  wake_up(&fsfront_queue);
}

int64_t minios_fs_answer(struct fs_import *import, struct fs_request *request) {
  wait_for(import, request);
  wake_up(&fsfront_queue); /* others' answers may have been taken, too */
  int64_t answer = (int64_t)request->response.u.ret_val;
  return answer < 0 ? minios_linux_error(answer) : answer;
}

int64_t minios_fs_finish(struct fs_import *import, struct fs_request *request) {
  minios_fs_send(import, request);
  int64_t answer = minios_fs_answer(import, request);
  minios_fs_release(request);
  return answer;
}

struct fs_import *fs_import;

/* Its directory of the store; the ring and the port in it are for the back-end. */
static bool publish(struct fs_import *import) {
  struct minios_front_node nodes[] = {
      {"ring-size", NULL, 1},
      {"ring-ref-0", NULL, import->gnt_ref},
      {"event-channel", NULL, import->local_port},
      {"state", STATE_READY, 0},
  };
  for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
    char *error = nodes[i].text != NULL
                      ? xenbus_printf(XBT_NIL, import->nodename, nodes[i].name, "%s", nodes[i].text)
                      : xenbus_printf(XBT_NIL, import->nodename, nodes[i].name, "%u", nodes[i].number);
    if (error != NULL) {
      printk("%s/%s: %s\n", import->nodename, nodes[i].name, error);
      free(error);
      return false;
    }
  }
  return true;
}

/* Until what is there passes; a text, or NULL when that takes too long. */
static char *wait_for_node(const char *directory, const char *name, const char *value) {
  for (int i = 0; i < 1000; i++) {
    char *text = minios_read_node(directory, name);
    if (text != NULL && (value == NULL || strcmp(text, value) == 0))
      return text;
    free(text);
    msleep(i < 10 ? 1 : 10);
  }
  return NULL;
}

static bool ask_for(struct fs_import *import, domid_t self) {
  char request[128];
  snprintf(request, sizeof request, "/local/domain/%u/backend/vfs/exports/requests/%u/%u/frontend",
           import->dom_id, self, import->export_id);
  char *error = xenbus_write(XBT_NIL, request, import->nodename);
  if (error != NULL) {
    printk("%s: %s\n", request, error);
    free(error);
    return false;
  }
  import->backend = wait_for_node(import->nodename, "backend", NULL);
  char *state = import->backend == NULL ? NULL : wait_for_node(import->backend, "state", STATE_READY);
  free(state);
  return state != NULL;
}

static bool connect_import(struct fs_import *import) {
  char path[64];
  domid_t self = xenbus_get_self_id();
  snprintf(path, sizeof path, "/local/domain/%u/device/vfs/%u", self, import->import_id);
  import->nodename = strdup(path);
  import->ring = (struct fsif_sring *)alloc_page();
  import->requests = calloc(REQUESTS, sizeof *import->requests);
  BUG_ON(import->nodename == NULL || import->ring == NULL || import->requests == NULL);
  memset(import->ring, 0, PAGE_SIZE);
  import->ring->req_event = import->ring->rsp_event = 1;
  import->nr_entries = ENTRIES;
  import->gnt_ref = gnttab_grant_access(import->dom_id, virt_to_mfn(import->ring), 0);
  if (evtchn_alloc_unbound(import->dom_id, woken, import, &import->local_port) != 0)
    return false;
  unmask_evtchn(import->local_port);
  return publish(import) && ask_for(import, self);
}

static void free_import(struct fs_import *import) {
  if (import->local_port != 0)
    unbind_evtchn(import->local_port);
  for (int i = 0; i < REQUESTS; i++)
    if (import->requests[i].pages != NULL) {
      minios_end_grants(import->requests[i].grefs, FS_PAGES);
      free_pages(import->requests[i].pages, PAGES_ORDER);
    }
  gnttab_end_access(import->gnt_ref);
  free_page(import->ring);
  free(import->requests);
  free(import->nodename);
  free(import->backend);
  free(import->name);
  free(import);
}

/* One that is another domain's cannot be read, and is passed over. */
static struct fs_import *mount_export(domid_t dom, int export, u16 number) {
  char path[64];
  snprintf(path, sizeof path, "/local/domain/%u/backend/vfs/exports/%d", dom, export);
  char *name = minios_read_node(path, "name");
  if (name == NULL)
    return NULL;
  struct fs_import *import = calloc(1, sizeof *import);
  BUG_ON(import == NULL);
  import->dom_id = dom;
  import->export_id = (u16)export;
  import->import_id = number;
  import->name = name;
  if (connect_import(import))
    return import;
  printk("%s: no back-end\n", import->nodename);
  free_import(import);
  return NULL;
}

void init_fs_frontend(void) {
  char **names = NULL;
  struct fs_import **end = &fs_import;
  u16 number = 0;
  if (fs_import != NULL)
    return;
  free(xenbus_ls(XBT_NIL, "/local/domain/0/backend/vfs/exports", &names));
  for (char **name = names; name != NULL && *name != NULL; name++) {
    int export = -1;
    if (sscanf(*name, "%d", &export) == 1 && export >= 0) {
      *end = mount_export(0, export, number);
      if (*end != NULL) {
        end = &(*end)->next;
        number++;
      }
    }
    free(*name);
  }
  free(names);
  if (fs_import == NULL)
    printk("No FS import\n");
}

void fini_fs_frontend(void) {
  while (fs_import != NULL) {
    struct fs_import *import = fs_import;
    fs_import = import->next;
    free(xenbus_printf(XBT_NIL, import->nodename, "state", "%s", STATE_CLOSING));
    free(wait_for_node(import->backend, "state", STATE_CLOSED));
    free(xenbus_rm(XBT_NIL, import->nodename));
    free_import(import);
  }
}
