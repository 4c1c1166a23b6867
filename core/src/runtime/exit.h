/**
 * The end of the process: every runtime that is still alive is stopped and joined, all together within two seconds,
 * before the libraries that its threads use are torn down.
 */
#ifndef PEER_RUNTIME_EXIT_H
#define PEER_RUNTIME_EXIT_H

#include <pthread.h>

#include "base/list.h"
#include "peergraph/peergraph.h"

struct live {
    struct list list;
    pthread_t thread;
    void (*request_stop)(struct live *live);
    int claimed; /* somebody stops it: the exit handler, or a call */
    int ended;   /* its thread is as good as gone */
};

/**
 * Enters a runtime whose thread runs. The first one registers the handler, so OpenSSL must have been initialised before:
 * handlers run in reverse order. PEER_E_NOT_INITIALIZED when the process is exiting.
 */
peer_status peer__live_add(struct live *live);
/** 1: the caller stops, joins and removes it; 0: the exit handler does, and its memory stays. */
int peer__live_claim(struct live *live);
/** The last act of its thread. */
void peer__live_ended(struct live *live);
void peer__live_remove(struct live *live);

/** 1 when the process is exiting: nothing of ours may be called any more. */
int peer__runtime_exiting(void);

#endif
