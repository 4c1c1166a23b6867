/** Files that the caller names: one that appears whole or not at all, and one that is read once from front to end. */
#ifndef PEER_STORE_WHOLE_FILE_H
#define PEER_STORE_WHOLE_FILE_H

#include "base/bytes.h"

struct whole_file {
    int file; /* -1: closed */
    uint64_t size;
    char *path;
    char *part; /* "<path>.part", while it is written */
};

/**
 * Begins a file that takes the place of the one at `path` when it is published; until then it grows beside it, as
 * "<path>.part", which a writer that died may have left and the next one takes over. PEER_E_PATH_NOT_FOUND,
 * E_ACCESSDENIED, PEER_E_SHARING_VIOLATION (somebody else is writing it), PEER_E_DISK_FULL.
 */
peer_status peer__whole_file_create(const char *path, struct whole_file *file_out);
peer_status peer__whole_file_write(struct whole_file *file, struct span bytes);
/** Brings it to the disk and to its place. The file is closed in any case. */
peer_status peer__whole_file_publish(struct whole_file *file);

/** PEER_E_FILE_NOT_FOUND, PEER_E_PATH_NOT_FOUND, E_ACCESSDENIED. `size` is what it was then. */
peer_status peer__whole_file_open(const char *path, struct whole_file *file_out);
/** Appends the next bytes; fewer only at the end of the file. */
peer_status peer__whole_file_read(struct whole_file *file, size_t size, struct buffer *out);

/** Closes; a file that was not published leaves nothing behind. */
void peer__whole_file_close(struct whole_file *file);

#endif
