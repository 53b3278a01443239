/* The domain's xenstore: enough for a front-end. */
#ifndef STORE_H
#define STORE_H

/* Paths are relative to the domain, or begin with /. What is there goes into `value`, ended by NUL; 0: it is not there. */
int store_read(const char *path, char *value, unsigned size);
int store_write(const char *path, const char *value);

unsigned text_length(const char *text);
/* `to` + `more`, which must fit; `to` again. */
char *append(char *to, const char *more);
char *append_number(char *to, unsigned number);
unsigned number_of(const char *text);
#endif
