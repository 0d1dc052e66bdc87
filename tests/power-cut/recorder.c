/* Records what a program does to the files below one directory, in order and with every byte.
 *
 * Loaded in front of the C library (LD_PRELOAD). Each call is passed on; when it succeeded, it is appended to a
 * record that src/record.rs reads. The only C here: a library that stands in for the C library cannot be
 * written without `unsafe`, which our crates forbid.
 *
 *   STO_RECORDER_ROOT    the directory, absolute and without links
 *   STO_RECORDER_OUTPUT  the record, outside of that directory
 *   STO_RECORDER_BLIND   "fdatasync" or "all": such syncs are carried out but not recorded, as if nobody had called
 *
 * Files are known by inode, which follows a descriptor through dup() and fcntl() and makes close() uninteresting.
 * Not seen: mmap and io_uring. The tests compare a replayed record with the directory, so that a program that
 * writes past us is found out.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* The numbers are those of src/record.rs. */
enum operation { OPEN = 1, WRITE, RESIZE, ALLOCATE, RENAME, REMOVE, MAKE_DIRECTORY, SYNC, SYNC_RANGE, UNKNOWN };
enum { CREATED = 1, TRUNCATED = 2 };

struct head {
    uint32_t operation, flags;
    uint64_t inode, offset, length;
    uint32_t path_bytes, other_path_bytes;
    uint64_t data_bytes;
};

enum { INODES_MAX = 4096 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t inodes[INODES_MAX], operations;
static size_t inode_count;
static char root[PATH_MAX];
static size_t root_bytes;
static dev_t root_device;
static int output = -1, blind_to_fdatasync, blind_to_fsync;

#define REAL(result, name, ...)                                                                                        \
    static result (*real_##name)(__VA_ARGS__);                                                                         \
    if (!real_##name) *(void **)&real_##name = dlsym(RTLD_NEXT, #name)

static void give_up(const char *why) {
    fprintf(stderr, "recorder: %s\n", why);
    abort();
}

__attribute__((constructor)) static void begin(void) {
    REAL(int, open, const char *, int, ...);
    const char *directory = getenv("STO_RECORDER_ROOT"), *path = getenv("STO_RECORDER_OUTPUT");
    const char *blind = getenv("STO_RECORDER_BLIND");
    struct stat status;
    if (!directory || !path) return;
    if (strlen(directory) >= sizeof root || stat(directory, &status) != 0) give_up("the root is no directory");
    root_device = status.st_dev;
    blind_to_fsync = blind && strcmp(blind, "all") == 0;
    blind_to_fdatasync = blind_to_fsync || (blind && strcmp(blind, "fdatasync") == 0);
    output = real_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (output < 0) give_up("the record cannot be made");
    /* Last: it switches recording on. */
    strcpy(root, directory);
    root_bytes = strlen(root);
}

static void put(const void *bytes, size_t count) {
    REAL(ssize_t, write, int, const void *, size_t);
    for (const char *at = bytes; count > 0;) {
        ssize_t written = real_write(output, at, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) give_up("the record cannot be written");
        at += written;
        count -= (size_t)written;
    }
}

/* Appends to the record; the caller holds the mutex. */
static void record(struct head head, const char *path, const char *other_path, const void *data) {
    head.path_bytes = path ? (uint32_t)strlen(path) : 0;
    head.other_path_bytes = other_path ? (uint32_t)strlen(other_path) : 0;
    put(&head, sizeof head);
    if (path) put(path, head.path_bytes);
    if (other_path) put(other_path, head.other_path_bytes);
    if (data) put(data, head.data_bytes);
    operations++;
}

/* Writes the path below the root into `inside`; returns NULL for what lies elsewhere. */
static const char *below_root(int directory, const char *path, char inside[PATH_MAX]) {
    char link[64], full[2 * PATH_MAX];
    ssize_t length = 0;
    if (root_bytes == 0 || !path) return NULL;
    if (path[0] != '/') {
        if (directory == AT_FDCWD) strcpy(link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
        length = readlink(link, full, PATH_MAX - 1);
        if (length < 0) return NULL;
        full[length++] = '/';
    }
    snprintf(full + length, sizeof full - (size_t)length, "%s", path);
    if (strncmp(full, root, root_bytes) != 0 || (full[root_bytes] != '/' && full[root_bytes] != 0)) return NULL;
    const char *rest = full + root_bytes;
    while (*rest == '/') rest++;
    snprintf(inside, PATH_MAX, "%s", rest);
    return inside;
}

static size_t place_of(uint64_t inode) {
    size_t place = 0;
    while (place < inode_count && inodes[place] != inode) place++;
    return place;
}

static void follow(uint64_t inode) {
    if (place_of(inode) < inode_count) return;
    if (inode_count == INODES_MAX) give_up("more files than it can follow");
    inodes[inode_count++] = inode;
}

/* An inode without a name may come back as a file elsewhere. */
static void forget(uint64_t inode) {
    size_t place = place_of(inode);
    if (place < inode_count) inodes[place] = inodes[--inode_count];
}


/* Takes the mutex when the descriptor is a file that we follow. */
static int lock_followed(int descriptor, uint64_t *inode) {
    struct stat status;
    int before = errno;
    if (root_bytes == 0 || fstat(descriptor, &status) != 0 || status.st_dev != root_device) {
        errno = before;
        return 0;
    }
    pthread_mutex_lock(&mutex);
    *inode = status.st_ino;
    if (place_of(*inode) < inode_count) return 1;
    pthread_mutex_unlock(&mutex);
    return 0;
}

static void unlock(int before) {
    pthread_mutex_unlock(&mutex);
    errno = before;
}

int openat(int directory, const char *path, int flags, ...) {
    REAL(int, openat, int, const char *, int, ...);
    char inside[PATH_MAX];
    mode_t mode = 0;
    if (flags & (O_CREAT | __O_TMPFILE)) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    if (!below_root(directory, path, inside)) return real_openat(directory, path, flags, mode);
    pthread_mutex_lock(&mutex);
    struct stat status;
    int was_there = fstatat(directory, path, &status, 0) == 0;
    int descriptor = real_openat(directory, path, flags, mode);
    int error = errno;
    if (descriptor >= 0 && fstat(descriptor, &status) == 0) {
        struct head head = {.operation = OPEN, .inode = status.st_ino};
        if (!was_there) head.flags |= CREATED;
        if (was_there && (flags & O_TRUNC) && (flags & O_ACCMODE) != O_RDONLY) head.flags |= TRUNCATED;
        follow(status.st_ino);
        record(head, inside, NULL, NULL);
    }
    unlock(error);
    return descriptor;
}

int openat64(int directory, const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return openat(directory, path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return openat(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return openat(AT_FDCWD, path, flags, mode);
}

int creat(const char *path, mode_t mode) { return openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

ssize_t write(int descriptor, const void *data, size_t count) {
    REAL(ssize_t, write, int, const void *, size_t);
    uint64_t inode;
    if (!lock_followed(descriptor, &inode)) return real_write(descriptor, data, count);
    ssize_t written = real_write(descriptor, data, count);
    int error = errno;
    if (written > 0) {
        /* Where it went, also for a file that is only appended to. */
        off_t end = lseek(descriptor, 0, SEEK_CUR);
        record((struct head){.operation = WRITE, .inode = inode, .offset = (uint64_t)(end - written),
                             .data_bytes = (uint64_t)written}, NULL, NULL, data);
    }
    unlock(error);
    return written;
}

ssize_t pwrite(int descriptor, const void *data, size_t count, off_t offset) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    uint64_t inode;
    if (!lock_followed(descriptor, &inode)) return real_pwrite(descriptor, data, count, offset);
    ssize_t written = real_pwrite(descriptor, data, count, offset);
    int error = errno;
    if (written > 0)
        record((struct head){.operation = WRITE, .inode = inode, .offset = (uint64_t)offset,
                             .data_bytes = (uint64_t)written}, NULL, NULL, data);
    unlock(error);
    return written;
}

ssize_t pwrite64(int descriptor, const void *data, size_t count, off_t offset) {
    return pwrite(descriptor, data, count, offset);
}

/* Vectors of a file that we follow go out one by one: fewer bytes than asked for is an answer the caller must know. */
ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    uint64_t inode;
    if (!lock_followed(descriptor, &inode)) return real_writev(descriptor, parts, count);
    pthread_mutex_unlock(&mutex);
    int part = 0;
    while (part + 1 < count && parts[part].iov_len == 0) part++;
    return count > 0 ? write(descriptor, parts[part].iov_base, parts[part].iov_len) : 0;
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset) {
    REAL(ssize_t, pwritev, int, const struct iovec *, int, off_t);
    uint64_t inode;
    if (!lock_followed(descriptor, &inode)) return real_pwritev(descriptor, parts, count, offset);
    pthread_mutex_unlock(&mutex);
    int part = 0;
    while (part + 1 < count && parts[part].iov_len == 0) part++;
    return count > 0 ? pwrite(descriptor, parts[part].iov_base, parts[part].iov_len, offset) : 0;
}

ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off_t offset) {
    return pwritev(descriptor, parts, count, offset);
}

int ftruncate(int descriptor, off_t length) {
    REAL(int, ftruncate, int, off_t);
    uint64_t inode;
    if (!lock_followed(descriptor, &inode)) return real_ftruncate(descriptor, length);
    int result = real_ftruncate(descriptor, length);
    int error = errno;
    if (result == 0)
        record((struct head){.operation = RESIZE, .inode = inode, .length = (uint64_t)length}, NULL, NULL, NULL);
    unlock(error);
    return result;
}

int ftruncate64(int descriptor, off_t length) { return ftruncate(descriptor, length); }

int fallocate(int descriptor, int mode, off_t offset, off_t length) {
    REAL(int, fallocate, int, int, off_t, off_t);
    uint64_t inode;
    if (!lock_followed(descriptor, &inode)) return real_fallocate(descriptor, mode, offset, length);
    int result = real_fallocate(descriptor, mode, offset, length);
    int error = errno;
    enum operation operation = mode == 0 ? ALLOCATE : UNKNOWN;
    /* Blocks without a new length change nothing that can be read. */
    if (result == 0 && mode != FALLOC_FL_KEEP_SIZE)
        record((struct head){.operation = operation, .inode = inode, .offset = (uint64_t)offset,
                             .length = (uint64_t)length}, NULL, NULL, NULL);
    unlock(error);
    return result;
}

int fallocate64(int descriptor, int mode, off_t offset, off_t length) {
    return fallocate(descriptor, mode, offset, length);
}

int posix_fallocate(int descriptor, off_t offset, off_t length) {
    return fallocate(descriptor, 0, offset, length) == 0 ? 0 : errno;
}

int posix_fallocate64(int descriptor, off_t offset, off_t length) {
    return posix_fallocate(descriptor, offset, length);
}

/* Whoever copies in the kernel is sent to read and write, where it is seen. */
ssize_t copy_file_range(int from, off_t *from_offset, int to, off_t *to_offset, size_t length, unsigned flags) {
    (void)from, (void)from_offset, (void)to, (void)to_offset, (void)length, (void)flags;
    errno = ENOSYS;
    return -1;
}

ssize_t sendfile(int to, int from, off_t *offset, size_t count) {
    (void)to, (void)from, (void)offset, (void)count;
    errno = ENOSYS;
    return -1;
}

ssize_t sendfile64(int to, int from, off_t *offset, size_t count) { return sendfile(to, from, offset, count); }

int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
    REAL(int, renameat2, int, const char *, int, const char *, unsigned);
    char from_inside[PATH_MAX], to_inside[PATH_MAX];
    const char *source = below_root(from_directory, from, from_inside);
    const char *target = below_root(to_directory, to, to_inside);
    if (!source && !target) return real_renameat2(from_directory, from, to_directory, to, flags);
    pthread_mutex_lock(&mutex);
    struct stat replaced;
    int replaces = fstatat(to_directory, to, &replaced, AT_SYMLINK_NOFOLLOW) == 0;
    int result = real_renameat2(from_directory, from, to_directory, to, flags);
    int error = errno;
    if (result == 0) {
        if (replaces && (S_ISDIR(replaced.st_mode) || replaced.st_nlink == 1)) forget(replaced.st_ino);
        /* In or out of the directory, and exchanges, are nothing the reader knows. */
        int is_known = source && target && (flags & ~(unsigned)RENAME_NOREPLACE) == 0;
        record((struct head){.operation = is_known ? RENAME : UNKNOWN}, source, target, NULL);
    }
    unlock(error);
    return result;
}

int renameat(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, 0);
}

int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int directory, const char *path, int flags) {
    REAL(int, unlinkat, int, const char *, int);
    char inside[PATH_MAX];
    if (!below_root(directory, path, inside)) return real_unlinkat(directory, path, flags);
    pthread_mutex_lock(&mutex);
    struct stat status;
    int is_last = fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0
                  && (S_ISDIR(status.st_mode) || status.st_nlink == 1);
    int result = real_unlinkat(directory, path, flags);
    int error = errno;
    if (result == 0) {
        if (is_last) forget(status.st_ino);
        record((struct head){.operation = REMOVE}, inside, NULL, NULL);
    }
    unlock(error);
    return result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int directory, const char *path, mode_t mode) {
    REAL(int, mkdirat, int, const char *, mode_t);
    char inside[PATH_MAX];
    if (!below_root(directory, path, inside)) return real_mkdirat(directory, path, mode);
    pthread_mutex_lock(&mutex);
    int result = real_mkdirat(directory, path, mode);
    int error = errno;
    struct stat status;
    if (result == 0 && fstatat(directory, path, &status, 0) == 0) {
        follow(status.st_ino);
        record((struct head){.operation = MAKE_DIRECTORY, .inode = status.st_ino}, inside, NULL, NULL);
    }
    unlock(error);
    return result;
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* A sync covers what came before it began, and only when it has ended: both are recorded. */
static int sync_file(int descriptor, int (*real)(int), int is_blind) {
    uint64_t inode, begun;
    if (is_blind || !lock_followed(descriptor, &inode)) return real(descriptor);
    begun = operations;
    pthread_mutex_unlock(&mutex);
    int result = real(descriptor);
    int error = errno;
    if (result == 0) {
        pthread_mutex_lock(&mutex);
        record((struct head){.operation = SYNC, .inode = inode, .offset = begun}, NULL, NULL, NULL);
        pthread_mutex_unlock(&mutex);
    }
    errno = error;
    return result;
}

int fsync(int descriptor) {
    REAL(int, fsync, int);
    return sync_file(descriptor, real_fsync, blind_to_fsync);
}

int fdatasync(int descriptor) {
    REAL(int, fdatasync, int);
    return sync_file(descriptor, real_fdatasync, blind_to_fdatasync);
}

int sync_file_range(int descriptor, off_t offset, off_t length, unsigned flags) {
    REAL(int, sync_file_range, int, off_t, off_t, unsigned);
    uint64_t inode;
    int result = real_sync_file_range(descriptor, offset, length, flags);
    int error = errno;
    if (result == 0 && lock_followed(descriptor, &inode)) {
        record((struct head){.operation = SYNC_RANGE, .inode = inode, .offset = (uint64_t)offset,
                             .length = (uint64_t)length}, NULL, NULL, NULL);
        unlock(error);
    }
    errno = error;
    return result;
}
