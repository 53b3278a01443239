/* Names of hosts and services (netdb.h): numbers, localhost, and what the name servers of DHCP say; a list of services that are in use. */
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <lwip/dns.h>
#include <mini-os/time.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int h_errno;

static const struct service {
  const char *name;
  uint16_t port;
  bool is_udp, is_tcp;
} services[] = {
    {"echo", 7, true, true},    {"discard", 9, true, true}, {"daytime", 13, true, true}, {"ftp", 21, false, true},
    {"ssh", 22, false, true},   {"telnet", 23, false, true}, {"smtp", 25, false, true},  {"time", 37, true, true},
    {"domain", 53, true, true}, {"tftp", 69, true, false},  {"http", 80, false, true},   {"pop3", 110, false, true},
    {"ntp", 123, true, false},  {"imap2", 143, false, true}, {"snmp", 161, true, true},  {"https", 443, false, true},
    {"syslog", 514, true, false}, {"imaps", 993, false, true}, {"pop3s", 995, false, true},
    {"http-alt", 8080, true, true},
};

static const struct service *find_service(const char *name, int port, bool is_udp) {
  for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
    const struct service *service = &services[i];
    bool is_meant = name != NULL ? strcmp(service->name, name) == 0 : service->port == port;
    if (is_meant && (is_udp ? service->is_udp : service->is_tcp))
      return service;
  }
  return NULL;
}

/* A question to the name servers, which lwip answers in the end, whatever they do. */
struct question {
  ip_addr_t answer;
  bool is_over;
  struct wait_queue_head queue;
};

static void answered(const char *name, const ip_addr_t *address, void *arg) {
  struct question *question = arg;
  (void)name;
  question->is_over = true;
  if (address != NULL)
    question->answer = *address;
  else
    question->answer.type = IPADDR_TYPE_ANY;
  wake_up(&question->queue);
}

/* 0 and the address, or EAI_. */
static int ask(const char *name, bool is_v6, ip_addr_t *address) {
  struct question *question = calloc(1, sizeof *question);
  if (question == NULL)
    return EAI_MEMORY;
  init_waitqueue_head(&question->queue);
  minios_network_start();
  u8_t type = is_v6 ? LWIP_DNS_ADDRTYPE_IPV6 : LWIP_DNS_ADDRTYPE_IPV4;
  err_t error = dns_gethostbyname_addrtype(name, address, answered, question, type);
  minios_network_flush();
  if (error == ERR_INPROGRESS) {
    minios_network_wait(question->queue, question->is_over, 0);
    *address = question->answer;
    error = address->type == IPADDR_TYPE_ANY ? ERR_VAL : ERR_OK;
  }
  free(question);
  return error == ERR_OK ? 0 : error == ERR_MEM ? EAI_MEMORY : EAI_NONAME;
}

static struct addrinfo *make_info(int family, const void *address, uint16_t port, int type, int protocol) {
  size_t size = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
  struct addrinfo *info = calloc(1, sizeof *info + sizeof(struct sockaddr_in6));
  if (info == NULL)
    return NULL;
  *info = (struct addrinfo){.ai_family = family, .ai_socktype = type, .ai_protocol = protocol,
                            .ai_addrlen = (socklen_t)size, .ai_addr = (struct sockaddr *)(info + 1)};
  if (family == AF_INET) {
    struct sockaddr_in *in = (struct sockaddr_in *)info->ai_addr;
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    memcpy(&in->sin_addr, address, sizeof in->sin_addr);
  } else {
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)info->ai_addr;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    memcpy(&in6->sin6_addr, address, sizeof in6->sin6_addr);
  }
  return info;
}

void freeaddrinfo(struct addrinfo *list) {
  while (list != NULL) {
    struct addrinfo *next = list->ai_next;
    free(list->ai_canonname);
    free(list);
    list = next;
  }
}

struct wanted {
  int flags, family, type, protocol;
  const char *service;
};

static int port_of(const struct wanted *wanted, bool is_udp, uint16_t *port) {
  *port = 0;
  if (wanted->service == NULL)
    return 0;
  char *end;
  unsigned long number = strtoul(wanted->service, &end, 10);
  if (end != wanted->service && *end == '\0') {
    *port = (uint16_t)number;
    return number > 0xffff ? EAI_SERVICE : 0;
  }
  const struct service *service = wanted->flags & AI_NUMERICSERV ? NULL : find_service(wanted->service, 0, is_udp);
  if (service == NULL)
    return wanted->flags & AI_NUMERICSERV ? EAI_NONAME : EAI_SERVICE;
  *port = service->port;
  return 0;
}

/* One entry for each kind of socket that was not excluded. */
static int add(struct addrinfo ***end, const struct wanted *wanted, int family, const void *address) {
  static const struct {
    int type, protocol;
  } kinds[] = {{SOCK_STREAM, IPPROTO_TCP}, {SOCK_DGRAM, IPPROTO_UDP}, {SOCK_RAW, 0}};
  int error = EAI_SERVICE;
  bool has_any = false;
  for (size_t i = 0; i < 3; i++) {
    uint16_t port;
    if ((wanted->type != 0 && wanted->type != kinds[i].type) ||
        (wanted->protocol != 0 && kinds[i].protocol != 0 && wanted->protocol != kinds[i].protocol))
      continue;
    int result = port_of(wanted, kinds[i].type == SOCK_DGRAM, &port);
    if (result != 0) {
      error = result;
      continue;
    }
    int protocol = kinds[i].protocol == 0 ? wanted->protocol : kinds[i].protocol;
    struct addrinfo *info = make_info(family, address, port, kinds[i].type, protocol);
    if (info == NULL)
      return EAI_MEMORY;
    **end = info;
    *end = &info->ai_next;
    has_any = true;
  }
  return has_any ? 0 : error;
}

static int add_numbers(struct addrinfo ***end, const struct wanted *wanted, const char *node) {
  static const struct in_addr any, loopback = {__builtin_bswap32(INADDR_LOOPBACK)};
  bool is_passive = wanted->flags & AI_PASSIVE, wants4 = wanted->family != AF_INET6, wants6 = wanted->family != AF_INET;
  bool is_localhost = node != NULL && strcasecmp(node, "localhost") == 0;
  struct in6_addr address6;
  struct in_addr address;
  if (node == NULL || is_localhost) {
    bool is_any = node == NULL && is_passive;
    int error = wants4 ? add(end, wanted, AF_INET, is_any ? &any : &loopback) : 0;
    if (error == 0 && wants6)
      error = add(end, wanted, AF_INET6, is_any ? &in6addr_any : &in6addr_loopback);
    return error;
  }
  if (inet_aton(node, &address) && strchr(node, ' ') == NULL)
    return wants4 ? add(end, wanted, AF_INET, &address) : EAI_FAMILY;
  if (inet_pton(AF_INET6, node, &address6) == 1)
    return wants6 ? add(end, wanted, AF_INET6, &address6) : EAI_FAMILY;
  return EAI_NONAME;
}

static int add_names(struct addrinfo ***end, const struct wanted *wanted, const char *node) {
  int results[2] = {EAI_NONAME, EAI_NONAME};
  for (int is_v6 = 0; is_v6 < 2; is_v6++) {
    ip_addr_t address;
    if (wanted->family == (is_v6 ? AF_INET : AF_INET6))
      continue;
    results[is_v6] = ask(node, is_v6, &address);
    if (results[is_v6] != 0)
      continue;
    results[is_v6] = add(end, wanted, is_v6 ? AF_INET6 : AF_INET,
                         is_v6 ? (const void *)ip_2_ip6(&address)->addr : (const void *)&ip_2_ip4(&address)->addr);
    /* Most names have both, most networks here IPv4 alone. */
    if (results[is_v6] == 0 && !is_v6 && wanted->family == AF_UNSPEC)
      return 0;
  }
  return results[0] == 0 || results[1] == 0 ? 0 : results[0] != EAI_NONAME ? results[0] : results[1];
}

static int check(const struct wanted *wanted) {
  const int known = AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG | AI_NUMERICSERV;
  if (wanted->flags & ~known)
    return EAI_BADFLAGS;
  if (wanted->family != AF_UNSPEC && wanted->family != AF_INET && wanted->family != AF_INET6)
    return EAI_FAMILY;
  if (wanted->type != 0 && wanted->type != SOCK_STREAM && wanted->type != SOCK_DGRAM && wanted->type != SOCK_RAW)
    return EAI_SOCKTYPE;
  return 0;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
  struct wanted wanted = {.service = service};
  struct addrinfo *list = NULL, **end = &list;
  if (hints != NULL)
    wanted = (struct wanted){hints->ai_flags, hints->ai_family, hints->ai_socktype, hints->ai_protocol, service};
  if (node == NULL && service == NULL)
    return EAI_NONAME;
  int error = check(&wanted);
  if (error == 0 && node == NULL && (wanted.flags & AI_CANONNAME))
    error = EAI_BADFLAGS;
  if (error == 0)
    error = add_numbers(&end, &wanted, node);
  if (error == EAI_NONAME && node != NULL && list == NULL && !(wanted.flags & AI_NUMERICHOST))
    error = add_names(&end, &wanted, node);
  if (error == 0 && (wanted.flags & AI_CANONNAME)) {
    list->ai_canonname = strdup(node);
    error = list->ai_canonname == NULL ? EAI_MEMORY : 0;
  }
  if (error != 0) {
    freeaddrinfo(list);
    return error;
  }
  *result = list;
  return 0;
}

const char *gai_strerror(int error) {
  switch (error) {
    case 0:
      return "Success";
    case EAI_BADFLAGS:
      return "Bad value for ai_flags";
    case EAI_NONAME:
      return "Name or service not known";
    case EAI_AGAIN:
      return "Temporary failure in name resolution";
    case EAI_FAIL:
      return "Non-recoverable failure in name resolution";
    case EAI_FAMILY:
      return "ai_family not supported";
    case EAI_SOCKTYPE:
      return "ai_socktype not supported";
    case EAI_SERVICE:
      return "Servname not supported for ai_socktype";
    case EAI_MEMORY:
      return "Memory allocation failure";
    case EAI_SYSTEM:
      return "System error";
    case EAI_OVERFLOW:
      return "Result too large for supplied buffer";
    default:
      return "Unknown error";
  }
}

static int put(char *to, socklen_t size, const char *text) {
  if (to == NULL || size == 0)
    return 0;
  if (strlen(text) >= size)
    return EAI_OVERFLOW;
  strcpy(to, text);
  return 0;
}

/* There is no asking back for names: addresses are given as numbers. */
int getnameinfo(const struct sockaddr *address, socklen_t length, char *node, socklen_t node_size, char *service,
                socklen_t service_size, int flags) {
  char text[INET6_ADDRSTRLEN], number[8];
  bool is_v6 = address->sa_family == AF_INET6;
  const struct sockaddr_in *in = (const struct sockaddr_in *)address;
  const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
  if ((!is_v6 && address->sa_family != AF_INET) || length < (is_v6 ? sizeof *in6 : sizeof *in))
    return EAI_FAMILY;
  if (flags & NI_NAMEREQD)
    return EAI_NONAME;
  inet_ntop(address->sa_family, is_v6 ? (const void *)&in6->sin6_addr : (const void *)&in->sin_addr, text, sizeof text);
  uint16_t port = ntohs(is_v6 ? in6->sin6_port : in->sin_port);
  const struct service *known = flags & NI_NUMERICSERV ? NULL : find_service(NULL, port, flags & NI_DGRAM);
  snprintf(number, sizeof number, "%u", port);
  int error = put(node, node_size, text);
  return error != 0 ? error : put(service, service_size, known != NULL ? known->name : number);
}

struct hostent *gethostbyname(const char *name) {
  static struct hostent host;
  static struct in_addr address;
  static char *addresses[2], *aliases[1], kept[256];
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
  int error = strlen(name) < sizeof kept ? getaddrinfo(name, NULL, &hints, &list) : EAI_NONAME;
  if (error != 0) {
    h_errno = error == EAI_NONAME ? HOST_NOT_FOUND : NO_RECOVERY;
    return NULL;
  }
  address = ((struct sockaddr_in *)list->ai_addr)->sin_addr;
  freeaddrinfo(list);
  strcpy(kept, name);
  addresses[0] = (char *)&address;
  host = (struct hostent){kept, aliases, AF_INET, sizeof address, addresses};
  return &host;
}

const char *hstrerror(int error) {
  switch (error) {
    case 0:
      return "Resolver Error 0 (no error)";
    case HOST_NOT_FOUND:
      return "Unknown host";
    case TRY_AGAIN:
      return "Host name lookup failure";
    case NO_RECOVERY:
      return "Unknown server error";
    case NO_DATA:
      return "No address associated with name";
    default:
      return "Unknown resolver error";
  }
}

struct servent *getservbyname(const char *name, const char *protocol) {
  static struct servent entry;
  static char *aliases[1];
  bool is_udp = protocol != NULL && strcmp(protocol, "udp") == 0;
  const struct service *service = find_service(name, 0, is_udp);
  if (service == NULL && protocol == NULL)
    service = find_service(name, 0, is_udp = true);
  if (service == NULL)
    return NULL;
  entry = (struct servent){(char *)service->name, aliases, htons(service->port), is_udp ? "udp" : "tcp"};
  return &entry;
}

struct protoent *getprotobyname(const char *name) {
  static struct protoent entry;
  static char *aliases[1];
  static const struct {
    const char *name;
    int number;
  } protocols[] = {{"ip", 0}, {"icmp", 1}, {"tcp", 6}, {"udp", 17}, {"ipv6", 41}, {"ipv6-icmp", 58}};
  for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
    if (strcmp(protocols[i].name, name) == 0) {
      entry = (struct protoent){(char *)name, aliases, protocols[i].number};
      return &entry;
    }
  return NULL;
}
