#include "base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_llong fail_after = -1;
static atomic_llong live;

static int refused(void)
{
    if (atomic_load_explicit(&fail_after, memory_order_relaxed) < 0)
        return 0;
    /* Past zero it stays at zero: every later allocation fails too, as on a machine that is out of memory. */
    if (atomic_fetch_sub(&fail_after, 1) > 0)
        return 0;
    atomic_store(&fail_after, 0);
    return 1;
}

static void *counted(void *block)
{
    if (block != NULL)
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return block;
}

void *peer__malloc(size_t size)
{
    return refused() ? NULL : counted(malloc(size != 0 ? size : 1));
}

void *peer__calloc(size_t count, size_t size)
{
    if (count == 0 || size == 0)
        count = size = 1;
    return refused() ? NULL : counted(calloc(count, size));
}

void *peer__realloc(void *block, size_t size)
{
    if (block == NULL)
        return peer__malloc(size);
    return refused() ? NULL : realloc(block, size != 0 ? size : 1);
}

void *peer__realloc_array(void *block, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return peer__realloc(block, count * size);
}

void peer__free(void *block)
{
    if (block == NULL)
        return;
    atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    free(block);
}

char *peer__strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = peer__malloc(size);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

void peer__memory_fail_after(int64_t count)
{
    atomic_store(&fail_after, count);
}

int64_t peer__memory_hold_failures(void)
{
    return atomic_exchange(&fail_after, -1);
}

int64_t peer__memory_live(void)
{
    return atomic_load(&live);
}
