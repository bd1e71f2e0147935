/*
 * What the parts of the recorder share: the log and its order (log.c), and what of a process is to be recorded (watch.c).
 * The parts that stand in for system calls are files.c (what changes files), words.c (what is said and heard) and refused.c
 * (what has no place in the model); kill.c ends the process where a script wants it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#pragma GCC visibility push(hidden)

enum kind { CREATE = 1, MKDIR, WRITE, TRUNCATE, RENAME, LINK, UNLINK, RMDIR, SYNC_BEGUN, SYNC_DONE, SENT, HEARD, SAID };

struct record {
  enum kind kind;
  uint64_t object; /* inode of the file, the directory or the socket */
  int64_t a, b;    /* offset or length; ports here and there; number of the descriptor */
  const char *path, *second;
  const struct iovec *payload;
  int pieces;
};

/* Held while a file is changed and the change recorded, and while anything else is recorded. */
extern pthread_mutex_t order;

/* To be called with the mutex held. */
void append(struct record record);

/* Takes the mutex for itself; leaves errno alone. */
void append_alone(struct record record);

/* Ends the process: the log would be wrong from here on. */
_Noreturn void give_up(const char *what, const char *about);

/* At most `most` octets of a vector, as `room` pieces at most; returns how many there are. */
int cut(const struct iovec *from, int count, size_t most, struct iovec *to, int room);

/* Whether this process is to be recorded at all. */
int is_recorded(void);

/* Does not return where this sync is the one at which the process is to die. Without the mutex. */
void die_if_ordered(int fd);

/* By how much each sync is to take longer. */
useconds_t sync_delay(void);

/* The inode behind a descriptor of a file or directory below the root; 0 for any other. */
uint64_t watched(int fd);

/* Makes a path absolute; false where it is not below the root. */
int below(int directory, const char *path, char *absolute);

/* 0 where there is nothing, or a socket. */
uint64_t inode_of(const char *path);

/* Records a write; `offset` is negative where the call writes at the descriptor's position. With the mutex held. */
void append_write(uint64_t inode, int fd, off_t offset, const struct iovec *pieces, int count, ssize_t written);

void *real(const char *name);

#pragma GCC visibility pop

/* The C library's own function of this name. */
#define REAL(name) ((__typeof__(&name))real(#name))

/* Evaluates `call` under the mutex, records what it wrote and returns, where the descriptor is one of ours. */
#define RECORD_WRITE(fd, offset, pieces, count, call)        \
  do {                                                       \
    uint64_t inode = watched(fd);                            \
    if (inode == 0) break;                                   \
    pthread_mutex_lock(&order);                              \
    ssize_t written = (call);                                \
    append_write(inode, fd, offset, pieces, count, written); \
    pthread_mutex_unlock(&order);                            \
    return written;                                          \
  } while (0)

/* The same function under the name that programs with 64-bit offsets were built with; off_t has 64 bits here anyway. */
_Static_assert(sizeof(off_t) == 8, "offsets of 64 bits");
#define ALSO(alias_name, name) extern __typeof__(name) alias_name __attribute__((alias(#name)))
