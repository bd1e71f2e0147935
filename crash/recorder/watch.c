/* What of a process is to be recorded: the files and directories below the root. */
#include "recorder.h"

#include <stdio.h>

static char root[PATH_MAX];
static size_t root_length;
static useconds_t sync_us;

__attribute__((constructor)) static void begin(void) {
  const char *directory = getenv("POSTHORN_RECORD_ROOT");
  const char *delay = getenv("POSTHORN_RECORD_SYNC_US");
  if (directory == NULL || getenv("POSTHORN_RECORD_LOG") == NULL) return;
  root_length = strlen(directory);
  if (root_length == 0 || root_length >= sizeof root) return;
  memcpy(root, directory, root_length + 1);
  if (delay != NULL) sync_us = (useconds_t)atoi(delay);
}

int is_recorded(void) { return root_length > 0; }

useconds_t sync_delay(void) { return sync_us; }

static int is_below(const char *path) {
  return root_length > 0 && strncmp(path, root, root_length) == 0 &&
         (path[root_length] == '/' || path[root_length] == '\0');
}

uint64_t watched(int fd) {
  struct stat stats;
  char link[40], path[PATH_MAX];
  if (root_length == 0) return 0;
  int saved = errno;
  uint64_t inode = 0;
  if (fstat(fd, &stats) == 0 && (S_ISREG(stats.st_mode) || S_ISDIR(stats.st_mode))) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 0) {
      path[length] = '\0';
      if (is_below(path)) inode = stats.st_ino;
    }
  }
  errno = saved;
  return inode;
}

int below(int directory, const char *path, char *absolute) {
  if (root_length == 0 || path == NULL) return 0;
  int saved = errno;
  if (path[0] == '/') {
    if (strlen(path) >= PATH_MAX) return 0;
    strcpy(absolute, path);
  } else {
    char base[PATH_MAX / 2], link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    ssize_t length = readlink(directory == AT_FDCWD ? "/proc/self/cwd" : link, base, sizeof base - 1);
    if (length <= 0 || strlen(path) >= PATH_MAX / 2) return 0;
    base[length] = '\0';
    snprintf(absolute, PATH_MAX, "%s/%s", base, path);
  }
  errno = saved;
  if (!is_below(absolute)) return 0;
  if (strstr(absolute, "/../") || strstr(absolute, "/./") || strstr(absolute, "//")) give_up("a path with dots", absolute);
  return 1;
}

uint64_t inode_of(const char *path) {
  struct stat stats;
  return lstat(path, &stats) == 0 && !S_ISSOCK(stats.st_mode) ? stats.st_ino : 0;
}
