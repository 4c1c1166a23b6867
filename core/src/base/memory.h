/** Allocation: the only way to the heap for every layer, so that a test can make the n-th allocation fail. */
#ifndef PEER_BASE_MEMORY_H
#define PEER_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/** As malloc; never of size 0 to the system. NULL when memory is out. */
void *peer__malloc(size_t size);
/** As calloc, with the multiplication checked. */
void *peer__calloc(size_t count, size_t size);
/** As realloc; the old block is untouched on failure. */
void *peer__realloc(void *block, size_t size);
/** `count * size`, checked. */
void *peer__realloc_array(void *block, size_t count, size_t size);
void peer__free(void *block);
/** A copy of a NUL-terminated text, or NULL. */
char *peer__strdup(const char *text);

/** Tests: after `count` more successful allocations of this process every one fails; -1 ends that. */
void peer__memory_fail_after(int64_t count);
/** Tests: no allocation fails until peer__memory_fail_after is given what this returns. */
int64_t peer__memory_hold_failures(void);
/** Tests: blocks allocated and not freed. */
int64_t peer__memory_live(void);

#endif
