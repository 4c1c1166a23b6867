/**
 * Looking up names. A look-up can take half a minute and cannot be stopped, so each has a thread that nobody waits for:
 * when its runtime ends first, it is abandoned and frees itself.
 */
#ifndef PEER_RUNTIME_LOOKUP_H
#define PEER_RUNTIME_LOOKUP_H

#include "base/address.h"
#include "base/list.h"

#define LOOKUP_RESULT_MAX 8
/** Under way at once in the process, the abandoned included. */
#define LOOKUP_COUNT_MAX 32

struct lookup {
    struct list list; /* the owner's */
    void *owner;
    /* Written by the thread before the look-up counts as finished. */
    struct address results[LOOKUP_RESULT_MAX];
    size_t result_count;
    int error;        /* of getaddrinfo */
    int system_error; /* errno, where `error` is EAI_SYSTEM */
};

/** `wake` is called on the look-up's thread when it is finished. NULL: memory or threads are out. */
struct lookup *peer__lookup_start(const char *host, uint16_t port, void (*wake)(void *context), void *context);
int peer__lookup_is_finished(struct lookup *lookup);
/** Abandons or frees it; `wake` is not called any more. */
void peer__lookup_free(struct lookup *lookup);

#endif
