/* What the program asks of the memory VFS beside SQLite. */
#ifndef MEMORY_VFS_H
#define MEMORY_VFS_H

/* The bytes of a file, NULL where there is none of the name. */
const unsigned char *memory_file(const char *name, long *size);

#endif
