/* Addresses as text, both ways (POSIX XSH inet_addr, inet_ntop; RFC 4291, 2.2; RFC 5952). */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef htonl
#undef htons
#undef ntohl
#undef ntohs

const struct in6_addr in6addr_any = IN6ADDR_ANY_INIT, in6addr_loopback = IN6ADDR_LOOPBACK_INIT;

uint32_t htonl(uint32_t x) {
  return __builtin_bswap32(x);
}

uint32_t ntohl(uint32_t x) {
  return __builtin_bswap32(x);
}

uint16_t htons(uint16_t x) {
  return __builtin_bswap16(x);
}

uint16_t ntohs(uint16_t x) {
  return __builtin_bswap16(x);
}

static int digit_of(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* A number as C has it: 0x for 16, 0 for 8. */
static const char *c_number(const char *text, uint64_t *result) {
  int base = 10;
  uint64_t value = 0;
  if (*text == '0') {
    base = text[1] == 'x' || text[1] == 'X' ? 16 : 8;
    text += base == 16 ? 2 : 0;
  }
  if (digit_of(*text) >= base)
    return NULL;
  for (; digit_of(*text) < base; text++) {
    value = value * (uint64_t)base + (uint64_t)digit_of(*text);
    if (value > UINT32_MAX)
      return NULL;
  }
  *result = value;
  return text;
}

/* One to four parts, of which the last fills what is left. */
int inet_aton(const char *text, struct in_addr *address) {
  uint64_t parts[4];
  int count = 0;
  for (;;) {
    text = c_number(text, &parts[count]);
    if (text == NULL)
      return 0;
    count++;
    if (*text != '.')
      break;
    if (count == 4)
      return 0;
    text++;
  }
  if (*text != '\0' && strchr(" \t\n\r\f\v", *text) == NULL)
    return 0;
  uint32_t value = 0;
  for (int i = 0; i < count - 1; i++) {
    if (parts[i] > 0xff)
      return 0;
    value |= (uint32_t)parts[i] << (24 - 8 * i);
  }
  if (parts[count - 1] >> (32 - 8 * (count - 1)) != 0)
    return 0;
  if (address != NULL)
    address->s_addr = htonl(value | (uint32_t)parts[count - 1]);
  return 1;
}

in_addr_t inet_addr(const char *text) {
  struct in_addr address;
  return inet_aton(text, &address) ? address.s_addr : INADDR_NONE;
}

char *inet_ntoa(struct in_addr address) {
  static char text[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &address, text, sizeof text);
  return text;
}

/* Four decimal bytes without leading zeros. */
static int four_bytes(const char *text, unsigned char bytes[4]) {
  for (int i = 0; i < 4; i++) {
    unsigned value = 0;
    int digits = 0;
    for (; *text >= '0' && *text <= '9'; text++, digits++)
      value = value * 10 + (unsigned)(*text - '0');
    if (digits == 0 || digits > 3 || value > 255 || (digits > 1 && text[-digits] == '0'))
      return 0;
    bytes[i] = (unsigned char)value;
    if (*text++ != (i < 3 ? '.' : '\0'))
      return 0;
  }
  return 1;
}

/* Groups up to a `::` or the end; where they end, or NULL. */
static const char *groups(const char *text, unsigned char *bytes, int *count, int most) {
  for (*count = 0; *text != '\0';) {
    const char *start = text;
    unsigned value = 0;
    for (; digit_of(*text) < 16 && text - start < 5; text++)
      value = value * 16 + (unsigned)digit_of(*text);
    if (*text == '.') {
      if (*count + 4 > most || !four_bytes(start, bytes + *count))
        return NULL;
      *count += 4;
      return text + strlen(text);
    }
    if (text == start || text - start > 4 || *count + 2 > most)
      return NULL;
    bytes[(*count)++] = (unsigned char)(value >> 8);
    bytes[(*count)++] = (unsigned char)value;
    if (*text == '\0' || (text[0] == ':' && text[1] == ':'))
      return text;
    if (*text++ != ':' || *text == '\0')
      return NULL;
  }
  return text;
}

static int sixteen_bytes(const char *text, unsigned char bytes[16]) {
  unsigned char tail[16];
  int head_count = 0, tail_count = 0;
  memset(bytes, 0, 16);
  if (text[0] == ':' && text[1] != ':')
    return 0;
  if (text[0] != ':') {
    text = groups(text, bytes, &head_count, 16);
    if (text == NULL || (*text == '\0' && head_count != 16))
      return 0;
  }
  if (*text == '\0')
    return head_count == 16;
  text = groups(text + 2, tail, &tail_count, 14 - head_count);
  if (text == NULL || *text != '\0')
    return 0;
  memcpy(bytes + 16 - tail_count, tail, (size_t)tail_count);
  return 1;
}

int inet_pton(int family, const char *text, void *address) {
  unsigned char bytes[16];
  if (family != AF_INET && family != AF_INET6) {
    errno = EAFNOSUPPORT;
    return -1;
  }
  int is_right = family == AF_INET ? four_bytes(text, bytes) : sixteen_bytes(text, bytes);
  if (is_right)
    memcpy(address, bytes, family == AF_INET ? 4 : 16);
  return is_right;
}

/* The first of the longest runs of zeros, of two groups at least; what is written as `::`. */
static int longest_zeros(const unsigned char *bytes, int *length) {
  int best = -1;
  *length = 1;
  for (int i = 0; i < 8; i++) {
    int run = 0;
    while (i + run < 8 && bytes[2 * (i + run)] == 0 && bytes[2 * (i + run) + 1] == 0)
      run++;
    if (run > *length) {
      best = i;
      *length = run;
    }
  }
  return best;
}

static void text_of_six(const unsigned char *bytes, char *text) {
  int length;
  int zeros = longest_zeros(bytes, &length);
  int has_four = zeros == 0 && (length == 6 || (length == 5 && bytes[10] == 0xff && bytes[11] == 0xff));
  for (int i = 0; i < 8; i++) {
    if (i == zeros) {
      text += sprintf(text, "::");
      i += length - 1;
      continue;
    }
    if (i > 0 && i != zeros + length)
      *text++ = ':';
    if (i == 6 && has_four) {
      sprintf(text, "%d.%d.%d.%d", bytes[12], bytes[13], bytes[14], bytes[15]);
      return;
    }
    text += sprintf(text, "%x", bytes[2 * i] << 8 | bytes[2 * i + 1]);
  }
}

const char *inet_ntop(int family, const void *address, char *text, socklen_t size) {
  char whole[INET6_ADDRSTRLEN];
  const unsigned char *bytes = address;
  if (family == AF_INET)
    sprintf(whole, "%d.%d.%d.%d", bytes[0], bytes[1], bytes[2], bytes[3]);
  else if (family == AF_INET6)
    text_of_six(bytes, whole);
  else {
    errno = EAFNOSUPPORT;
    return NULL;
  }
  if (strlen(whole) >= size) {
    errno = ENOSPC;
    return NULL;
  }
  return strcpy(text, whole);
}
