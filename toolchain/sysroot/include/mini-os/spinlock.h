/* Locks between processors, of which a domain has one. */
#ifndef __ARCH_SPINLOCK_H__
#define __ARCH_SPINLOCK_H__

#include <mini-os/os.h>

typedef struct {
  volatile unsigned int slock;
} spinlock_t;

#define SPINLOCK_MAGIC 0xdead4ead
#define ARCH_SPIN_LOCK_UNLOCKED {1}
#define SPIN_LOCK_UNLOCKED ARCH_SPIN_LOCK_UNLOCKED
#define DEFINE_SPINLOCK(x) spinlock_t x = SPIN_LOCK_UNLOCKED

#define spin_lock_init(x) ((x)->slock = 1)
#define spin_is_locked(x) ((x)->slock == 0)
#define spin_trylock(x) ((x)->slock == 0 ? 0 : ((x)->slock = 0, 1))
#define spin_lock(x) ((void)((x)->slock = 0))
#define spin_unlock(x) ((void)((x)->slock = 1))
#define spin_unlock_wait(x) ((void)(x))

#define spin_lock_irqsave(lock, flags) \
  do {                                 \
    local_irq_save(flags);             \
    spin_lock(lock);                   \
  } while (0)
#define spin_unlock_irqrestore(lock, flags) \
  do {                                      \
    spin_unlock(lock);                      \
    local_irq_restore(flags);               \
  } while (0)

#endif
