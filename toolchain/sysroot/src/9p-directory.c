/* Directories by 9P2000.L's Treaddir: entries of qid[13] offset[8] type[1] name[s]. */
#include "9p-wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INO_AT 5
#define OFFSET_AT 13
#define TYPE_AT 21
#define LENGTH_AT 22
#define NAME_AT 24
#define ANSWER_OVERHEAD 11 /* header and count */

static uint64_t number_at(const char *bytes, int count) {
  uint64_t number = 0;
  memcpy(&number, bytes, (size_t)count);
  return number;
}

/* Bytes that the entry at `at` has; 0 where it does not end. */
static size_t entry_length(const struct minios_9p_names *names, size_t at) {
  size_t rest = names->length - at;
  if (rest < NAME_AT)
    return 0;
  size_t length = NAME_AT + (size_t)number_at(names->bytes + at + LENGTH_AT, 2);
  return length <= rest ? length : 0;
}

/* The answer's bytes behind those that are there. */
static int append(struct minios_9p *dev, struct minios_9p_names *names, size_t count) {
  char *longer = realloc(names->bytes, names->length + count);
  if (longer == NULL)
    return -ENOMEM;
  names->bytes = longer;
  if (!minios_9p_take(dev, longer + names->length, count))
    return -EIO;
  names->length += count;
  return 0;
}

/* One request; how many bytes have come. */
static int read_some(struct minios_9p *dev, uint32_t fid, struct minios_9p_names *names, uint64_t offset) {
  uint32_t most = dev->longest - ANSWER_OVERHEAD;
  minios_9p_begin(dev);
  minios_9p_put_number(dev, fid, 4);
  minios_9p_put_number(dev, offset, 8);
  minios_9p_put_number(dev, most, 4);
  int result = minios_9p_call(dev, P9_TREADDIR);
  uint64_t count = result == 0 ? minios_9p_take_number(dev, 4) : 0;
  if (count > most)
    result = -EIO;
  else if (count > 0)
    result = append(dev, names, (size_t)count);
  minios_9p_end(dev);
  return result < 0 ? result : (int)count;
}

static int read_all(struct minios_9p *dev, uint32_t fid, struct minios_9p_names *names) {
  uint64_t offset = 0;
  size_t at = 0;
  int count;
  names->length = names->at = 0;
  names->next = 0;
  while ((count = read_some(dev, fid, names, offset)) > 0)
    while (at < names->length) {
      size_t length = entry_length(names, at);
      if (length == 0)
        return -EIO;
      offset = number_at(names->bytes + at + OFFSET_AT, 8);
      at += length;
    }
  return count;
}

int minios_9p_entry(struct minios_9p *dev, uint32_t fid, struct minios_9p_names *names, int number,
                    struct minios_dirent *result) {
  int error = number == 0 ? read_all(dev, fid, names) : 0;
  if (error < 0 || number < 0)
    return error < 0 ? error : -EINVAL;
  if (number < names->next) {
    names->next = 0;
    names->at = 0;
  }
  for (; names->at < names->length; names->next++) {
    const char *entry = names->bytes + names->at;
    size_t length = entry_length(names, names->at), name = length - NAME_AT;
    names->at += length;
    if (names->next < number)
      continue;
    names->next++;
    if (name >= sizeof result->name)
      return -EIO;
    result->ino = number_at(entry + INO_AT, 8);
    result->type = (uint32_t)number_at(entry + TYPE_AT, 1);
    memcpy(result->name, entry + NAME_AT, name);
    result->name[name] = '\0';
    return 1;
  }
  return 0;
}
