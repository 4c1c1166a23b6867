#include "runtime/workers.h"

#include <stddef.h>

#include "base/error.h"
#include "runtime/thread.h"

static void queue_append(struct job_queue *queue, struct job *job)
{
    job->next = NULL;
    if (queue->last != NULL)
        queue->last->next = job;
    else
        queue->first = job;
    queue->last = job;
}

static struct job *queue_take(struct job_queue *queue, int may_be_long)
{
    struct job *before = NULL;
    struct job *job = queue->first;

    while (job != NULL && job->is_long && !may_be_long) {
        before = job;
        job = job->next;
    }
    if (job == NULL)
        return NULL;
    if (before != NULL)
        before->next = job->next;
    else
        queue->first = job->next;
    if (queue->last == job)
        queue->last = before;
    job->next = NULL;
    return job;
}

/* One worker is always free for what is short, unless it is the only one: a checkpoint does not wait for searches. */
static int may_begin_long(const struct workers *workers)
{
    return workers->running_long == 0 || workers->running_long < workers->thread_count - 1;
}

static void run_one_locked(struct workers *workers, struct job *job)
{
    int is_long = job->is_long;

    workers->running++;
    workers->running_long += is_long;
    pthread_mutex_unlock(&workers->mutex);
    job->run(job);
    pthread_mutex_lock(&workers->mutex);
    int was_empty = workers->finished.first == NULL;
    queue_append(&workers->finished, job);
    workers->running--;
    workers->running_long -= is_long;
    /* Under the mutex: whoever has seen the job finished may take the wake-up's target away. */
    if (was_empty)
        workers->wake(workers->context);
    pthread_cond_broadcast(&workers->changed);
}

static void *work(void *context)
{
    struct workers *workers = context;

    pthread_mutex_lock(&workers->mutex);
    for (;;) {
        struct job *job = queue_take(&workers->waiting, may_begin_long(workers));
        if (job != NULL)
            run_one_locked(workers, job);
        else if (workers->ending && workers->waiting.first == NULL)
            break;
        else
            pthread_cond_wait(&workers->changed, &workers->mutex);
    }
    pthread_mutex_unlock(&workers->mutex);
    return NULL;
}

peer_status peer__workers_start(struct workers *workers, void (*wake)(void *context), void *context)
{
    *workers = (struct workers){.wake = wake, .context = context};
    pthread_mutex_init(&workers->mutex, NULL);
    pthread_cond_init(&workers->changed, NULL);
    pthread_mutex_lock(&workers->mutex); /* none begins before it is known how many there are */
    while (workers->thread_count < WORKER_COUNT &&
           peer__thread_start(&workers->threads[workers->thread_count], work, workers) == 0)
        workers->thread_count++;
    pthread_mutex_unlock(&workers->mutex);
    if (workers->thread_count > 0)
        return PEER_OK; /* one is enough */
    peer__workers_destroy(workers);
    return peer__fail(E_OUTOFMEMORY, "no thread can be started");
}

void peer__workers_submit(struct workers *workers, struct job *job)
{
    pthread_mutex_lock(&workers->mutex);
    queue_append(&workers->waiting, job);
    pthread_cond_broadcast(&workers->changed);
    pthread_mutex_unlock(&workers->mutex);
}

struct job *peer__workers_take_finished(struct workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    struct job *first = workers->finished.first;
    workers->finished = (struct job_queue){0};
    pthread_mutex_unlock(&workers->mutex);
    return first;
}

void peer__workers_drain(struct workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    while (workers->waiting.first != NULL || workers->running > 0)
        pthread_cond_wait(&workers->changed, &workers->mutex);
    pthread_mutex_unlock(&workers->mutex);
}

int peer__workers_are_idle(struct workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    int idle = workers->waiting.first == NULL && workers->running == 0 && workers->finished.first == NULL;
    pthread_mutex_unlock(&workers->mutex);
    return idle;
}

void peer__workers_join(struct workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    workers->ending = 1;
    pthread_cond_broadcast(&workers->changed);
    pthread_mutex_unlock(&workers->mutex);
    for (int i = 0; i < workers->thread_count; i++)
        pthread_join(workers->threads[i], NULL);
}

void peer__workers_destroy(struct workers *workers)
{
    pthread_mutex_destroy(&workers->mutex);
    pthread_cond_destroy(&workers->changed);
}
