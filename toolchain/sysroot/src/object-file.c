/* read, write, lseek and their kin on objects of the image's own that have positions. */
#include "object-file.h"

#include "result.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

int minios_file_open(struct minios_file *file, const struct minios_object_calls *calls, int flags) {
  uint32_t kept = (uint32_t)flags & (O_ACCMODE | O_APPEND | O_NONBLOCK);
  file->object = (struct minios_object){POLLIN | POLLOUT, kept, calls};
  int fd = minios_open_object(MINIOS_FD_IMPORTED, file, flags & O_CLOEXEC);
  if (fd < 0)
    calls->close(&file->object);
  return fd;
}

struct minios_file *minios_file_of(int fd) {
  intptr_t found = (intptr_t)minios_object_of(fd);
  if (found == 0 || (found < 0 && found >= -MINIOS_MOST_ERRNO))
    return NULL;
  struct minios_object *object = (struct minios_object *)found;
  return object->calls->file == NULL ? NULL : (struct minios_file *)object;
}

static const struct minios_file_calls *calls_of(const struct minios_file *file) {
  return file->object.calls->file;
}

ssize_t minios_file_read_at(struct minios_file *file, void *buffer, size_t count, int64_t offset) {
  if ((file->object.flags & O_ACCMODE) == O_WRONLY)
    return -EBADF;
  return offset < 0 ? -EINVAL : calls_of(file)->read(file, buffer, count, offset);
}

ssize_t minios_file_write_at(struct minios_file *file, const void *buffer, size_t count, int64_t offset) {
  if ((file->object.flags & O_ACCMODE) == O_RDONLY)
    return -EBADF;
  return offset < 0 ? -EINVAL : calls_of(file)->write(file, buffer, count, offset);
}

static ssize_t read_on(struct minios_file *file, void *buffer, size_t count) {
  ssize_t got = minios_file_read_at(file, buffer, count, file->position);
  if (got > 0)
    file->position += got;
  return got;
}

static ssize_t write_on(struct minios_file *file, const void *buffer, size_t count) {
  int64_t end = file->position;
  if (file->object.flags & O_APPEND) {
    int result = minios_file_seek(file, 0, SEEK_END, &end);
    if (result < 0)
      return result;
  }
  ssize_t written = minios_file_write_at(file, buffer, count, end);
  if (written > 0)
    file->position = end + written;
  return written;
}

ssize_t minios_object_read(struct minios_object *object, void *buffer, size_t count) {
  if (object->calls->file != NULL)
    return read_on((struct minios_file *)object, buffer, count);
  return object->calls->read == NULL ? -EINVAL : object->calls->read(object, buffer, count);
}

ssize_t minios_object_write(struct minios_object *object, const void *buffer, size_t count) {
  if (object->calls->file != NULL)
    return write_on((struct minios_file *)object, buffer, count);
  return object->calls->write == NULL ? -EINVAL : object->calls->write(object, buffer, count);
}

int minios_file_seek(struct minios_file *file, int64_t offset, int whence, int64_t *result) {
  struct minios_stat status = {.size = 0};
  if (whence == SEEK_END) {
    int error = minios_file_status(file, &status);
    if (error < 0)
      return error;
  } else if (whence != SEEK_SET && whence != SEEK_CUR) {
    return -EINVAL;
  }
  int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file->position : status.size;
  int64_t position;
  if (__builtin_add_overflow(base, offset, &position))
    return -EOVERFLOW;
  if (position < 0)
    return -EINVAL;
  *result = file->position = position;
  return 0;
}

int minios_file_status(struct minios_file *file, struct minios_stat *result) {
  return calls_of(file)->status(file, result);
}

int minios_file_truncate(struct minios_file *file, int64_t length) {
  if ((file->object.flags & O_ACCMODE) == O_RDONLY || length < 0 || calls_of(file)->truncate == NULL)
    return -EINVAL;
  return calls_of(file)->truncate(file, length);
}

int minios_file_flush(struct minios_file *file) {
  return calls_of(file)->flush == NULL ? -EINVAL : calls_of(file)->flush(file);
}

int minios_file_entry(struct minios_file *file, int number, struct minios_dirent *result) {
  return calls_of(file)->entry == NULL ? -ENOTDIR : calls_of(file)->entry(file, number, result);
}
