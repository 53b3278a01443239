/* syslog, to the console. A line is `ident[1]: text`. */
#include <errno.h>
#include <mini-os/api.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define CONSOLE_FD 2
#define LONGEST 1024

static const char *ident;
static int options;
static int mask = LOG_UPTO(LOG_DEBUG);

void openlog(const char *name, int wanted, int facility) {
  (void)facility; /* nobody sorts what is on a console */
  ident = name;
  options = wanted;
}

void closelog(void) {
  ident = NULL;
  options = 0;
}

int setlogmask(int wanted) {
  int old = mask;
  if (wanted != 0)
    mask = wanted;
  return old;
}

/* %m is the text of errno; everything else is printf's. */
static void with_error(char *result, size_t size, const char *format, int error) {
  size_t length = 0;
  for (; *format != '\0' && length + 2 < size; format++) {
    if (format[0] == '%' && format[1] == 'm') {
      for (const char *text = strerror(error); *text != '\0' && length + 3 < size; text++) {
        if (*text == '%')
          result[length++] = '%';
        result[length++] = *text;
      }
      format++;
      continue;
    }
    result[length++] = *format;
    if (format[0] == '%' && format[1] == '%')
      result[length++] = *++format;
  }
  result[length] = '\0';
}

void vsyslog(int priority, const char *format, va_list arguments) {
  char whole[LONGEST], line[LONGEST];
  int error = errno;
  if (!(mask & LOG_MASK(LOG_PRI(priority))))
    return;
  with_error(whole, sizeof whole, format, error);
  int length = ident == NULL ? 0 : snprintf(line, sizeof line / 2, "%s", ident);
  if (length > (int)sizeof line / 2)
    length = sizeof line / 2 - 1;
  if (options & LOG_PID)
    length += snprintf(line + length, sizeof line - length, "[%d]", getpid());
  if (length > 0)
    length += snprintf(line + length, sizeof line - length, ": ");
  length += vsnprintf(line + length, sizeof line - length - 1, whole, arguments);
  if (length > (int)sizeof line - 2)
    length = sizeof line - 2;
  if (line[length - 1] != '\n' || length == 0)
    line[length++] = '\n';
  minios_write(CONSOLE_FD, line, (size_t)length);
  errno = error;
}

void syslog(int priority, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsyslog(priority, format, arguments);
  va_end(arguments);
}
