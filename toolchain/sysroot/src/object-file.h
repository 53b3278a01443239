/* Descriptors of the image's own objects that have positions (struct minios_file of mini-os/posix.h). */
#ifndef MINIOS_OBJECT_FILE_H
#define MINIOS_OBJECT_FILE_H

#include <mini-os/posix.h>

/* NULL where the descriptor is none of those. */
struct minios_file *minios_file_of(int fd);

/* read and write of any object: those with positions from there on, which moves along. */
ssize_t minios_object_read(struct minios_object *object, void *buffer, size_t count);
ssize_t minios_object_write(struct minios_object *object, const void *buffer, size_t count);

ssize_t minios_file_read_at(struct minios_file *file, void *buffer, size_t count, int64_t offset);
ssize_t minios_file_write_at(struct minios_file *file, const void *buffer, size_t count, int64_t offset);
int minios_file_seek(struct minios_file *file, int64_t offset, int whence, int64_t *result);
int minios_file_status(struct minios_file *file, struct minios_stat *result);
int minios_file_truncate(struct minios_file *file, int64_t length);
int minios_file_flush(struct minios_file *file);
int minios_file_entry(struct minios_file *file, int number, struct minios_dirent *result);

#endif
