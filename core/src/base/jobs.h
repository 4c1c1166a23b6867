/** Interface: slow work. A job leaves the engine, is done by a worker, and comes back as input; the simulator runs it inline. */
#ifndef PEER_BASE_JOBS_H
#define PEER_BASE_JOBS_H

struct job {
    /** On a worker, without any lock. May not touch the engine. */
    void (*run)(struct job *job);
    /** Back in the driver, under the runtime's lock. Owns the job from here on; called exactly once, also at shutdown. */
    void (*done)(struct job *job);
    int is_long;      /* may take minutes: of several workers one never has such a job */
    struct job *next; /* for the driver's queues */
};

struct jobs {
    /** Takes the job over. Cannot fail: the job brings its own memory. */
    void (*submit)(void *self, struct job *job);
    void *self;
};

#endif
