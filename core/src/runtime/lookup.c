#include "runtime/lookup.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "runtime/socket.h"
#include "runtime/thread.h"

struct running_lookup {
    struct lookup public_part; /* first */
    char host[HOST_NAME_SIZE];
    uint16_t port;
    int finished;
    int abandoned;
    void (*wake)(void *context);
    void *context;
};

/* Of the whole process: a look-up may outlive its runtime. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int count; /* of threads */

static void keep_results(struct lookup *lookup, const struct addrinfo *found, uint16_t port)
{
    for (; found != NULL && lookup->result_count < LOOKUP_RESULT_MAX; found = found->ai_next) {
        struct address *address = &lookup->results[lookup->result_count];
        if (found->ai_family != AF_INET && found->ai_family != AF_INET6)
            continue;
        peer__address_from_sockaddr(address, found->ai_addr);
        address->port = port;
        lookup->result_count++;
    }
}

static void *look_up(void *context)
{
    struct running_lookup *self = context;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;

    int error = getaddrinfo(self->host, NULL, &hints, &found);
    int system_error = errno;
    if (error == 0) {
        keep_results(&self->public_part, found, self->port);
        freeaddrinfo(found);
    }
    pthread_mutex_lock(&mutex);
    count--;
    self->public_part.error = error;
    self->public_part.system_error = system_error;
    self->finished = 1;
    int abandoned = self->abandoned;
    if (!abandoned)
        self->wake(self->context);
    pthread_mutex_unlock(&mutex);
    if (abandoned)
        peer__free(self);
    return NULL;
}

static int start_thread(struct running_lookup *self)
{
    pthread_t thread;

    pthread_mutex_lock(&mutex);
    int failed = count >= LOOKUP_COUNT_MAX || peer__thread_start(&thread, look_up, self) != 0;
    if (!failed) {
        count++;
        pthread_detach(thread);
    }
    pthread_mutex_unlock(&mutex);
    return failed;
}

struct lookup *peer__lookup_start(const char *host, uint16_t port, void (*wake)(void *context), void *context)
{
    struct running_lookup *self = peer__calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    list_init(&self->public_part.list);
    snprintf(self->host, sizeof(self->host), "%s", host);
    self->port = port;
    self->wake = wake;
    self->context = context;
    if (start_thread(self)) {
        peer__free(self);
        return NULL;
    }
    return &self->public_part;
}

int peer__lookup_is_finished(struct lookup *lookup)
{
    pthread_mutex_lock(&mutex);
    int finished = ((struct running_lookup *)lookup)->finished;
    pthread_mutex_unlock(&mutex);
    return finished;
}

void peer__lookup_free(struct lookup *lookup)
{
    struct running_lookup *self = (struct running_lookup *)lookup;

    list_remove(&lookup->list);
    pthread_mutex_lock(&mutex);
    int finished = self->finished;
    self->abandoned = 1;
    pthread_mutex_unlock(&mutex);
    if (finished)
        peer__free(self);
}
