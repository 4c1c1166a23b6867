/**
 * Threads of a runtime for slow jobs. Not libuv's pool: that one is shared with the whole process, can be stopped by
 * anybody's slow job, and is not joined at exit.
 */
#ifndef PEER_RUNTIME_WORKERS_H
#define PEER_RUNTIME_WORKERS_H

#include <pthread.h>

#include "base/jobs.h"
#include "peergraph/peergraph.h"

#define WORKER_COUNT 3

struct job_queue {
    struct job *first;
    struct job *last;
};

struct workers {
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct job_queue waiting;
    struct job_queue finished;
    int running;      /* jobs that a worker has in hand */
    int running_long; /* of those */
    int ending;
    pthread_t threads[WORKER_COUNT];
    int thread_count;
    void (*wake)(void *context); /* called on a worker when something was added to an empty `finished` */
    void *context;
};

peer_status peer__workers_start(struct workers *workers, void (*wake)(void *context), void *context);
/** Any thread. */
void peer__workers_submit(struct workers *workers, struct job *job);
/** Takes the finished jobs, first finished first; call `done` of each. */
struct job *peer__workers_take_finished(struct workers *workers);
/** Waits until every submitted job is finished. */
void peer__workers_drain(struct workers *workers);
/** 1 if no job is waiting, running or finished. */
int peer__workers_are_idle(struct workers *workers);
/** Ends the threads when no job is waiting any more. What is finished can still be taken. */
void peer__workers_join(struct workers *workers);
void peer__workers_destroy(struct workers *workers);

#endif
